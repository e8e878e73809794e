import type { Choices } from './choices.ts';

// The ways in which a secret comes back, written by encoders of our own: nothing of the product's tables is used.

type Speller = (choices: Choices, value: string) => Buffer;

const hex2 = (byte: number): string => byte.toString(16).padStart(2, '0');
const cased = (choices: Choices, text: string): string => (choices.rarely(2) ? text.toUpperCase() : text);

/** Each character as `spell` says, or left as it is; `share` of them escaped. */
function escaped(choices: Choices, value: string, spell: (character: string) => string | null): Buffer {
  const share = choices.pick([1, 2, 4]);
  const letters = [...value].map((character) => {
    const spelled = choices.below(share) === 0 ? spell(character) : null;
    return spelled ?? character;
  });
  return Buffer.from(letters.join(''));
}

const percent = (choices: Choices, character: string): string =>
  [...Buffer.from(character)].map((byte) => `%${cased(choices, hex2(byte))}`).join('');

const unicode = (choices: Choices, character: string): string =>
  Array.from(
    { length: character.length },
    (_, at) => `\\u${cased(choices, character.charCodeAt(at).toString(16).padStart(4, '0'))}`,
  ).join('');

const entity = (choices: Choices, character: string): string => {
  const point = character.codePointAt(0) ?? 0;
  const zeros = '0'.repeat(choices.below(3));
  return choices.rarely(2)
    ? `&#${zeros}${point};`
    : `&#${choices.pick(['x', 'X'])}${zeros}${cased(choices, point.toString(16))};`;
};

function base64(choices: Choices, value: string, kind: 'base64' | 'base64url'): Buffer {
  const around = Buffer.concat([choices.bytes(0, 3), Buffer.from(value), choices.bytes(0, 3)]);
  const text = around.toString(kind);
  return Buffer.from(inLines(choices, text));
}

/** Long text as encoders break it, and what becomes of the breaks in JSON and in URLs. */
function inLines(choices: Choices, text: string): string {
  if (!choices.rarely(3)) return text;
  const broken = text.replace(/.{76}|.{64}|.{24}/g, (line) => `${line}${choices.rarely(2) ? '\r\n' : '\n'}`);
  const escapeBreaks = choices.pick<(lines: string) => string>([
    (lines) => lines,
    (lines) => JSON.stringify(lines).slice(1, -1),
    (lines) => JSON.stringify(JSON.stringify(lines)).slice(3, -3),
    encodeURIComponent,
  ]);
  return escapeBreaks(broken);
}

const base32Letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 4648, section 6, without padding. */
function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const fives = bits.match(/.{1,5}/g) ?? [];
  return fives.map((five) => base32Letters[Number.parseInt(five.padEnd(5, '0'), 2)]).join('');
}

/** By name, so that a failure says which one survived. */
export const spellers: Readonly<Record<string, Speller>> = {
  raw: (_choices, value) => Buffer.from(value),
  percent: (choices, value) => escaped(choices, value, (character) => percent(choices, character)),
  form: (_choices, value) => Buffer.from(new URLSearchParams([['k', value]]).toString()),
  uri: (_choices, value) => Buffer.from(encodeURIComponent(value)),
  json: (_choices, value) => Buffer.from(JSON.stringify(value).slice(1, -1)),
  jsonTwice: (_choices, value) => Buffer.from(JSON.stringify(JSON.stringify(value)).slice(3, -3)),
  percentTwice: (choices, value) =>
    escaped(choices, value, (character) => percent(choices, character).replaceAll('%', '%25')),
  uriTwice: (_choices, value) => Buffer.from(encodeURIComponent(encodeURIComponent(value))),
  unicode: (choices, value) => escaped(choices, value, (character) => unicode(choices, character)),
  entity: (choices, value) => escaped(choices, value, (character) => entity(choices, character)),
  html: (_choices, value) =>
    Buffer.from(
      value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
    ),
  mixed: (choices, value) =>
    escaped(choices, value, (character) => choices.pick([percent, unicode, entity])(choices, character)),
  base64: (choices, value) => base64(choices, value, 'base64'),
  base64url: (choices, value) => base64(choices, value, 'base64url'),
  base32: (choices, value) => {
    const text = base32(Buffer.concat([choices.bytes(0, 5), Buffer.from(value), choices.bytes(0, 5)]));
    const padded = choices.rarely(2) ? text.padEnd(Math.ceil(text.length / 8) * 8, '=') : text;
    return Buffer.from(inLines(choices, cased(choices, padded.toLowerCase())));
  },
  basic: (choices, value) =>
    Buffer.from(`Basic ${Buffer.from(`${choices.pick(['', 'user', 'x-token-auth'])}:${value}`).toString('base64')}`),
  hex: (choices, value) => {
    const between = choices.pick(['', '', ':', '-', ' ', '_', ', ', ',0x', ', 0x']);
    return Buffer.from(
      cased(choices, Buffer.from(value).toString('hex')).replace(/..(?!$)/g, (pair) => pair + between),
    );
  },
  list: (choices, value) =>
    Buffer.from([...Buffer.from(value)].join(choices.pick([',', ', ', ',\n  ', ' ', '  ', '\n']))),
  utf16le: (_choices, value) => Buffer.from(value, 'utf16le'),
  utf16be: (_choices, value) => Buffer.from(value, 'utf16le').swap16(),
  reversed: (_choices, value) => Buffer.from([...value].reverse().join('')),
  latin1: (_choices, value) =>
    Buffer.from(value, [...value].every((character) => character <= '\xff') ? 'latin1' : 'utf8'),
};

const alignments = [0, 1, 2];
const alignments32 = [0, 1, 2, 3, 4];

/** The characters of a base64 text that hold nothing but bits of the value, when so many bytes stand before it. */
function core64(value: string, before: number): string {
  const bytes = Buffer.from(value);
  const text = Buffer.concat([Buffer.alloc(before), bytes, Buffer.alloc(2)]).toString('base64');
  return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
}

/** The same in base32. */
function core32(value: string, before: number): string {
  const bytes = Buffer.from(value);
  const text = base32(Buffer.concat([Buffer.alloc(before), bytes, Buffer.alloc(4)]));
  return text.slice(Math.ceil((before * 8) / 5), Math.floor(((before + bytes.length) * 8) / 5));
}

/** Undoes one kind of escape wherever it stands. */
const decoders: readonly ((text: string) => string)[] = [
  (text) => text.replace(/%25(?=[0-9a-f]{2})/gi, '%'),
  (text) =>
    text.replace(/%([0-9a-f]{2})/gi, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
  (text) =>
    text.replace(/\\u([0-9a-f]{4})/gi, (_all, digits: string) =>
      Buffer.from(String.fromCharCode(Number.parseInt(digits, 16))).toString('latin1'),
    ),
  (text) => text.replace(/\\(["\\/])/g, '$1'),
  (text) => text.replace(/&#0*(\d{1,7});/g, (_all, point: string) => latin1Of(Number(point))),
  (text) => text.replace(/&#x0*([0-9a-f]{1,6});/gi, (_all, point: string) => latin1Of(Number.parseInt(point, 16))),
  (text) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&'),
];

const latin1Of = (point: number): string =>
  point > 0x10ffff ? '' : Buffer.from(String.fromCodePoint(point)).toString('latin1');

/** The name of a spelling in which the value can still be read out of these bytes, or null. Slow on purpose. */
export function survivorIn(output: Uint8Array, value: string): string | null {
  const raw = Buffer.from(output).toString('latin1');
  const wanted = Buffer.from(value).toString('latin1');
  const decoded = decoders.reduce((text, decode) => decode(text), raw);
  if (raw.includes(wanted) || decoded.includes(wanted)) return 'the value itself';
  if (!/\p{Surrogate}/u.test(value) && raw.includes(Buffer.from([...value].reverse().join('')).toString('latin1')))
    return 'reversed';
  const hex = Buffer.from(value).toString('hex');
  if (
    raw
      .toLowerCase()
      .replace(/0x|[ :,_-]/g, '')
      .includes(hex)
  )
    return 'hex';
  const joined = raw
    .replace(/\r?\n|\\{1,2}r\\{1,2}n|\\{1,2}n|(?:%0d)?%0a/gi, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/');
  if (alignments.some((before) => joined.includes(core64(value, before)))) return 'base64';
  for (const text of [joined, joined.replace(/[a-z]/g, (letter) => letter.toUpperCase())])
    if (alignments32.some((before) => text.includes(core32(value, before)))) return 'base32';
  const lower = joined.replace(/[A-Z]/g, '');
  if (alignments32.some((before) => lower.includes(core32(value, before).toLowerCase()))) return 'base32, lower case';
  if (raw.replace(/[ \r\n\t]/g, '').includes([...Buffer.from(value)].join(','))) return 'decimal list';
  const wide = Buffer.from(value, 'utf16le');
  if (raw.includes(wide.toString('latin1')) || raw.includes(Buffer.from(wide).swap16().toString('latin1')))
    return 'UTF-16';
  return null;
}

import { type AutomatonBuilder, beginning, type Place } from './redactionAutomaton.ts';

/**
 * The spellings in which a secret can come back, each added to the automaton: raw UTF-8 and Latin-1; percent, JSON,
 * JavaScript and HTML escapes in any mix; base64 and base64url in all three alignments, wrapped or not; hex and
 * decimal byte lists; UTF-16; reversed.
 */
export function addSpellings(automaton: AutomatonBuilder, text: string): void {
  const utf8 = new TextEncoder().encode(text);
  addEscapedText(automaton, text);
  addReversed(automaton, text);
  addUtf16(automaton, text);
  addByteSpellings(automaton, utf8);
  const latin1 = latin1Bytes(text);
  if (latin1 !== null && latin1.length !== utf8.length) addByteSpellings(automaton, latin1);
}

const code = (character: string): number => character.charCodeAt(0);
const bytesOf = (text: string): readonly number[] => [...new TextEncoder().encode(text)];
const asSteps = (text: string): readonly (readonly number[])[] => bytesOf(text).map((byte) => [byte]);

/** The digits as steps that accept either case. */
const hexSteps = (value: number, digits: number): readonly (readonly number[])[] =>
  [...value.toString(16).padStart(digits, '0')].map((digit) => {
    const upper = digit.toUpperCase();
    return upper === digit ? [code(digit)] : [code(digit), code(upper)];
  });

function latin1Bytes(text: string): Uint8Array | null {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit > 0xff) return null;
    bytes[index] = unit;
  }
  return bytes;
}

const shortEscapes: Readonly<Record<string, string>> = {
  '\b': 'b',
  '\f': 'f',
  '\n': 'n',
  '\r': 'r',
  '\t': 't',
  '"': '"',
  "'": "'",
  '/': '/',
  '\\': '\\',
};

const entityNames: Readonly<Record<string, readonly string[]>> = {
  '\t': ['Tab'],
  '\n': ['NewLine'],
  '!': ['excl'],
  '"': ['quot', 'QUOT'],
  '#': ['num'],
  $: ['dollar'],
  '%': ['percnt'],
  '&': ['amp', 'AMP'],
  "'": ['apos'],
  '(': ['lpar'],
  ')': ['rpar'],
  '*': ['ast'],
  '+': ['plus'],
  ',': ['comma'],
  '.': ['period'],
  '/': ['sol'],
  ':': ['colon'],
  ';': ['semi'],
  '<': ['lt', 'LT'],
  '=': ['equals'],
  '>': ['gt', 'GT'],
  '?': ['quest'],
  '@': ['commat'],
  '[': ['lbrack', 'lsqb'],
  '\\': ['bsol'],
  ']': ['rbrack', 'rsqb'],
  '^': ['Hat'],
  _: ['lowbar'],
  '`': ['grave'],
  '{': ['lbrace', 'lcub'],
  '|': ['vert', 'verbar'],
  '}': ['rbrace', 'rcub'],
};

// Text that was put into JSON twice doubles its backslashes; more than two layers are not followed.
const maxBackslashes = 4;
// `&#x0041;` and `&#00065;` are the same character.
const maxLeadingZeros = 4;

/** Adds all spellings of one character between two places. */
function addCharacter(automaton: AutomatonBuilder, from: Place, character: string, to: number): void {
  const point = character.codePointAt(0) ?? 0;
  automaton.path(from, asSteps(character), to);
  automaton.path(
    from,
    bytesOf(character).flatMap((byte) => [[code('%')], ...hexSteps(byte, 2)]),
    to,
  );
  if (character === ' ') automaton.edge(from, code('+'), to);
  if (character === '\n') automaton.path(from, asSteps('\r\n'), to);
  if (point > 0x7f && point <= 0xff) {
    automaton.edge(from, point, to);
    automaton.path(from, [[code('%')], ...hexSteps(point, 2)], to);
  }
  addBackslashEscapes(automaton, from, character, to);
  addEntities(automaton, from, character, to);
}

function addBackslashEscapes(automaton: AutomatonBuilder, from: Place, character: string, to: number): void {
  const afterBackslashes: number[] = [];
  let place = from;
  for (let count = 0; count < maxBackslashes; count += 1) {
    const next = automaton.node();
    automaton.edge(place, code('\\'), next);
    afterBackslashes.push(next);
    place = [next];
  }
  const units = [...Array(character.length).keys()].map((index) => character.charCodeAt(index));
  if (units.length === 1) {
    automaton.path(afterBackslashes, [[code('u')], ...hexSteps(units[0] ?? 0, 4)], to);
  } else {
    const [high, low] = [units[0] ?? 0, units[1] ?? 0];
    for (const node of afterBackslashes) {
      automaton.path([node], [[code('u')], ...hexSteps(high, 4), [code('\\')], [code('u')], ...hexSteps(low, 4)], to);
    }
  }
  const point = character.codePointAt(0) ?? 0;
  if (point <= 0xff) automaton.path(afterBackslashes, [[code('x')], ...hexSteps(point, 2)], to);
  const short = shortEscapes[character];
  if (short !== undefined) automaton.edge(afterBackslashes, code(short), to);
}

function addEntities(automaton: AutomatonBuilder, from: Place, character: string, to: number): void {
  const ampersand = automaton.node();
  automaton.edge(from, code('&'), ampersand);
  const hash = automaton.node();
  automaton.edge([ampersand], code('#'), hash);
  const cross = automaton.node();
  automaton.edge([hash], code('x'), cross);
  automaton.edge([hash], code('X'), cross);
  const withZeros = (start: number): Place => {
    const place = [start];
    for (let zeros = 0; zeros < maxLeadingZeros; zeros += 1) {
      const next = automaton.node();
      automaton.edge(place.slice(-1), code('0'), next);
      place.push(next);
    }
    return place;
  };
  const point = character.codePointAt(0) ?? 0;
  automaton.path(withZeros(hash), asSteps(`${point};`), to);
  automaton.path(withZeros(cross), [...hexSteps(point, 1), [code(';')]], to);
  for (const name of entityNames[character] ?? []) automaton.path([ampersand], asSteps(`${name};`), to);
}

function addEscapedText(automaton: AutomatonBuilder, text: string): void {
  let place = beginning;
  for (const character of text) {
    const next = automaton.node();
    addCharacter(automaton, place, character, next);
    place = [next];
  }
  automaton.accept(place);
}

function addLiteral(automaton: AutomatonBuilder, bytes: readonly number[]): void {
  const last = automaton.node();
  automaton.path(
    beginning,
    bytes.map((byte) => [byte]),
    last,
  );
  automaton.accept([last]);
}

function addReversed(automaton: AutomatonBuilder, text: string): void {
  addLiteral(automaton, bytesOf([...text].reverse().join('')));
}

function addUtf16(automaton: AutomatonBuilder, text: string): void {
  const units = [...Array(text.length).keys()].map((index) => text.charCodeAt(index));
  addLiteral(
    automaton,
    units.flatMap((unit) => [unit & 0xff, unit >> 8]),
  );
  addLiteral(
    automaton,
    units.flatMap((unit) => [unit >> 8, unit & 0xff]),
  );
}

function addByteSpellings(automaton: AutomatonBuilder, bytes: Uint8Array): void {
  addHex(automaton, bytes);
  addDecimalList(automaton, bytes);
  for (const bytesBefore of [0, 1, 2]) addBase64(automaton, bytes, bytesBefore);
}

/** Hex in any case, bytes joined or apart (`de:ad`, `<Buffer de ad>`, `0xde, 0xad`). */
function addHex(automaton: AutomatonBuilder, bytes: Uint8Array): void {
  let place = beginning;
  let last: Place = [];
  for (const byte of bytes) {
    const next = automaton.node();
    automaton.path(place, hexSteps(byte, 2), next);
    const separated = automaton.node();
    for (const separator of ': -_,') automaton.edge([next], code(separator), separated);
    const spaced = automaton.node();
    automaton.edge([separated], code(' '), spaced);
    const prefixed = automaton.node();
    automaton.path([separated, spaced], asSteps('0x'), prefixed);
    last = [next];
    place = [next, separated, spaced, prefixed];
  }
  automaton.accept(last);
}

const maxSpacesInList = 8;

/** A list of numbers, as a byte array is printed or put into JSON (`[115, 107]`). */
function addDecimalList(automaton: AutomatonBuilder, bytes: Uint8Array): void {
  let place = beginning;
  let last: Place = [];
  for (const byte of bytes) {
    const next = automaton.node();
    automaton.path(place, asSteps(String(byte)), next);
    last = [next];
    const separated = automaton.node();
    automaton.edge(last, code(','), separated);
    const spaced = [separated];
    for (let spaces = 0; spaces < maxSpacesInList; spaces += 1) {
      const space = automaton.node();
      for (const blank of ' \n\r\t') automaton.edge(spaced.slice(-1), code(blank), space);
      spaced.push(space);
    }
    place = spaced;
  }
  automaton.accept(last);
}

const base64Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/**
 * Base64 of a longer text that holds the secret after `bytesBefore` (mod 3) other bytes. Characters that also carry bits
 * of a neighbour may be any that agrees with the secret's bits; they are swallowed if present, not required.
 */
function addBase64(automaton: AutomatonBuilder, bytes: Uint8Array, bytesBefore: number): void {
  const firstBit = bytesBefore * 8;
  const endBit = firstBit + bytes.length * 8;
  /** Bit at this place of the whole text, or null where it belongs to a neighbour. */
  const bitAt = (bit: number): number | null =>
    bit < firstBit || bit >= endBit ? null : ((bytes[(bit - firstBit) >> 3] ?? 0) >> (7 - ((bit - firstBit) & 7))) & 1;
  let place = beginning;
  for (let index = Math.floor(firstBit / 6); index * 6 < endBit; index += 1) {
    const bits = [0, 1, 2, 3, 4, 5].map((offset) => bitAt(index * 6 + offset));
    const next = automaton.node();
    const characters = [...base64Alphabet].filter((_, value) =>
      bits.every((bit, offset) => bit === null || bit === ((value >> (5 - offset)) & 1)),
    );
    for (const character of characters) addBase64Character(automaton, place, character, next);
    const startsInside = bits[0] !== null;
    const endsInside = bits[5] !== null;
    if (!endsInside) automaton.accept([...place, next].filter((node) => node !== 0));
    if (endsInside && (index + 1) * 6 === endBit) automaton.accept([next]);
    place = startsInside ? withLineBreak(automaton, next) : [...beginning, ...withLineBreak(automaton, next)];
  }
}

function addBase64Character(automaton: AutomatonBuilder, from: Place, character: string, to: number): void {
  if (character !== '+' && character !== '/') {
    automaton.edge(from, code(character), to);
    return;
  }
  addCharacter(automaton, from, character, to);
  automaton.edge(from, code(character === '+' ? '-' : '_'), to);
}

/** Encoders wrap long base64 with LF or CRLF. */
function withLineBreak(automaton: AutomatonBuilder, node: number): Place {
  const wrapped = automaton.node();
  automaton.edge([node], code('\n'), wrapped);
  automaton.path([node], asSteps('\r\n'), wrapped);
  return [node, wrapped];
}

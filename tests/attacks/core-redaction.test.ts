import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REDACTION_MASK, Redactor } from '../../main/core/redaction.ts';
import { checkSecretValue } from '../../main/core/secretRules.ts';
import { RunOutput } from '../../main/runs/output.ts';

const redactorFor = (...values: readonly string[]): Redactor =>
  new Redactor(values.map((value, index) => ({ name: `S${index}`, value })));

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
const bytesOf = (text: string): readonly number[] => [...Buffer.from(text)];
const units = (text: string): readonly number[] =>
  Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
const everyByte = (text: string, spell: (byte: number) => string): string => bytesOf(text).map(spell).join('');
const everyUnit = (text: string, spell: (unit: number) => string): string => units(text).map(spell).join('');
const named: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

const base32Letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 4648, section 6, with padding. */
function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = (bits.match(/.{1,5}/g) ?? []).map((five) => base32Letters[Number.parseInt(five.padEnd(5, '0'), 2)]);
  return letters.join('').padEnd(Math.ceil(letters.length / 8) * 8, '=');
}

/** Each way in which an upstream or the code itself may spell a value. */
const encodings: Readonly<Record<string, (value: string) => string | Uint8Array>> = {
  raw: (value) => value,
  base64: (value) => Buffer.from(value).toString('base64'),
  'base64 after one byte': (value) => Buffer.from(`x${value}`).toString('base64'),
  'base64 after two bytes': (value) => Buffer.from(`xy${value}`).toString('base64'),
  'base64 inside a text': (value) => Buffer.from(`user:${value}, and more`).toString('base64'),
  'base64 without padding': (value) => Buffer.from(value).toString('base64').replace(/=+$/, ''),
  'base64url in three alignments': (value) =>
    ['', 'x', 'xy'].map((before) => Buffer.from(before + value).toString('base64url')).join(' '),
  'base64 in lines': (value) =>
    Buffer.from(value)
      .toString('base64')
      .replace(/(.{20})/g, '$1\r\n'),
  'base64 in lines, in JSON': (value) =>
    JSON.stringify(
      Buffer.from(value)
        .toString('base64')
        .replace(/(.{20})/g, '$1\n'),
    ),
  'base64 in lines that end in CRLF, in JSON in JSON': (value) =>
    JSON.stringify(
      JSON.stringify(
        Buffer.from(value)
          .toString('base64')
          .replace(/(.{20})/g, '$1\r\n'),
      ),
    ),
  'base64 in lines, in a query': (value) =>
    encodeURIComponent(
      Buffer.from(value)
        .toString('base64')
        .replace(/(.{20})/g, '$1\r\n'),
    ),
  'base64 in a query': (value) => encodeURIComponent(Buffer.from(value).toString('base64')),
  'base64 in JSON with escaped slashes': (value) => Buffer.from(value).toString('base64').replaceAll('/', '\\/'),
  'Basic credentials': (value) => `Basic ${Buffer.from(`user:${value}`).toString('base64')}`,
  'hex, lower case': (value) => Buffer.from(value).toString('hex'),
  'hex, upper case': (value) => Buffer.from(value).toString('hex').toUpperCase(),
  'hex, mixed case': (value) =>
    everyByte(value, (byte) => hex(byte, 2).replace(/[a-f]$/, (digit) => digit.toUpperCase())),
  'hex with colons': (value) =>
    bytesOf(value)
      .map((byte) => hex(byte, 2))
      .join(':'),
  'a printed buffer': (value) =>
    `<Buffer ${bytesOf(value)
      .map((byte) => hex(byte, 2))
      .join(' ')}>`,
  'a byte array in JSON': (value) => JSON.stringify(Buffer.from(value)),
  'a byte array in indented JSON': (value) => JSON.stringify([...Buffer.from(value)], null, 2),
  'a byte array with spaces': (value) => bytesOf(value).join(' '),
  'a byte array in columns': (value) =>
    bytesOf(value)
      .join('  ')
      .replace(/((?:\d+ +){7}\d+) /g, '$1\n '),
  base32: (value) => base32(Buffer.from(value)),
  'base32 after one byte': (value) => base32(Buffer.from(`x${value}`)),
  'base32 after two bytes': (value) => base32(Buffer.from(`xy${value}`)),
  'base32 after three bytes': (value) => base32(Buffer.from(`xyz${value}`)),
  'base32 after four bytes': (value) => base32(Buffer.from(`wxyz${value}`)),
  'base32 inside a text, lower case': (value) => base32(Buffer.from(`user:${value}, and more`)).toLowerCase(),
  'base32 without padding, in lines': (value) =>
    base32(Buffer.from(value))
      .replace(/=+$/, '')
      .replace(/(.{16})/g, '$1\n'),
  'percent twice, only what must': (value) => encodeURIComponent(encodeURIComponent(value)),
  'percent twice, every byte': (value) => everyByte(value, (byte) => `%25${hex(byte, 2)}`),
  'percent, only what must': (value) => encodeURIComponent(value),
  'percent, whole URLs': (value) => encodeURI(value),
  'percent, every byte lower': (value) => everyByte(value, (byte) => `%${hex(byte, 2)}`),
  'percent, every byte upper': (value) => everyByte(value, (byte) => `%${hex(byte, 2).toUpperCase()}`),
  'a form, plus for space': (value) => new URLSearchParams({ value }).toString(),
  JSON: (value) => JSON.stringify(value),
  'JSON in JSON': (value) => JSON.stringify(JSON.stringify(value)),
  'JSON, every character escaped': (value) => everyUnit(value, (unit) => `\\u${hex(unit, 4)}`),
  'JSON, every character escaped, upper': (value) => everyUnit(value, (unit) => `\\u${hex(unit, 4).toUpperCase()}`),
  'JSON with escaped slashes': (value) => JSON.stringify(value).replaceAll('/', '\\/'),
  'JavaScript \\x': (value) =>
    everyUnit(value, (unit) => (unit < 256 ? `\\x${hex(unit, 2)}` : String.fromCharCode(unit))),
  'HTML, only what must': (value) => value.replace(/[&<>"']/g, (character) => named[character] ?? ''),
  'HTML, decimal': (value) => [...value].map((character) => `&#${character.codePointAt(0)};`).join(''),
  'HTML, hexadecimal': (value) =>
    [...value].map((character) => `&#x${hex(character.codePointAt(0) ?? 0, 4)};`).join(''),
  'UTF-16 LE': (value) => Buffer.from(value, 'utf16le'),
  'UTF-16 BE': (value) => Buffer.from(value, 'utf16le').swap16(),
  reversed: (value) => [...value].reverse().join(''),
};

/** True when the spelled value can still be read out of the output. */
const survives = (output: string, spelled: string | Uint8Array): boolean => {
  const whole = latin1(typeof spelled === 'string' ? Buffer.from(spelled) : spelled);
  // The middle alone would be enough to find the rest: no long part of it may be left.
  const middle = whole.slice(Math.floor(whole.length / 4), Math.floor((whole.length * 3) / 4));
  return output.includes(whole) || (middle.length >= 24 && output.includes(middle));
};

const printable = fc.string({ minLength: 12, maxLength: 48, unit: 'grapheme-ascii' });
const international = fc
  .string({ minLength: 12, maxLength: 24, unit: 'grapheme' })
  .filter((value) => !/\p{Surrogate}/u.test(value));

describe('E99 an echoed secret is masked in each encoding, at any cut of the stream', () => {
  for (const [name, encode] of Object.entries(encodings)) {
    it(`E99 ${name}`, () => {
      fc.assert(
        fc.property(fc.oneof(printable, international), fc.integer({ min: 1, max: 40 }), (value, size) => {
          const spelled = encode(value);
          const input = Buffer.concat([Buffer.from('<'), Buffer.from(spelled), Buffer.from('>')]);
          const stream = redactorFor(value).stream();
          const out: Uint8Array[] = [];
          for (let offset = 0; offset < input.length; offset += size) {
            out.push(stream.push(input.subarray(offset, offset + size)));
          }
          out.push(stream.end());
          const output = latin1(Buffer.concat(out));
          expect(stream.count).toBeGreaterThan(0);
          expect(survives(output, spelled)).toBe(false);
        }),
        { numRuns: 60 },
      );
    });
  }

  it('E99 freely mixed escapes', () => {
    const value = randomBytes(18).toString('base64');
    const spell = [
      (byte: number) => String.fromCharCode(byte),
      (byte: number) => `%${hex(byte, 2)}`,
      (byte: number) => `\\u${hex(byte, 4)}`,
      (byte: number) => `&#${byte};`,
      (byte: number) => `&#x${hex(byte, 2)};`,
      (byte: number) => `\\x${hex(byte, 2)}`,
    ];
    fc.assert(
      fc.property(fc.array(fc.nat({ max: spell.length - 1 }), { minLength: 24, maxLength: 24 }), (choices) => {
        const spelled = bytesOf(value)
          .map((byte, index) => spell[choices[index] ?? 0]?.(byte) ?? '')
          .join('');
        expect(redactorFor(value).text(`<${spelled}>`)).toBe(`<${REDACTION_MASK}>`);
      }),
    );
  });

  it('E99 Latin-1 bytes, as header values travel, raw and encoded', () => {
    const value = `${randomBytes(9).toString('hex')}\u00e9\u00fc`;
    const bytes = Buffer.from(value, 'latin1');
    const redactor = redactorFor(value);
    const mask = Buffer.from(REDACTION_MASK);
    expect(Buffer.from(redactor.bytes(bytes))).toEqual(mask);
    for (const spelled of [
      bytes.toString('hex'),
      bytes.toString('base64'),
      [...bytes].map((byte) => `%${hex(byte, 2)}`).join(''),
    ]) {
      expect(redactor.text(spelled).replace(/=+$/, '')).toBe(REDACTION_MASK);
    }
  });

  it('E98 an event stream is not stalled by bytes that cannot become a secret', () => {
    const stream = redactorFor(randomBytes(24).toString('hex')).stream();
    const event = 'data: {"delta":"ok"}\n\n';
    expect(Buffer.from(stream.push(Buffer.from(event))).toString()).toBe(event);
  });

  it('E103 the mask has one length, whatever the length of the secret', () => {
    const [short, long] = [randomBytes(6).toString('hex'), randomBytes(60).toString('hex')];
    const redactor = redactorFor(short, long);
    expect(redactor.text(short)).toBe(redactor.text(long));
  });

  it('E105 several values of one secret are all masked', () => {
    const [before, after] = [randomBytes(12).toString('hex'), randomBytes(12).toString('hex')];
    expect(redactorFor(before, after).text(`${before} ${after}`)).toBe(`${REDACTION_MASK} ${REDACTION_MASK}`);
  });
});

describe('E89 and F111: values that could not be swapped safely or masked sensibly are refused', () => {
  const good = randomBytes(16).toString('hex');

  it.each([
    `${good}\r\n`,
    `${good}\n`,
    ` ${good}`,
    `${good} `,
    `a\r\n${good}`,
    `a\0${good}`,
    `${good}\u0100`,
    `\t${good}`,
  ])('E89 %j', (value) => expect(checkSecretValue(value, 'placeholder').ok).toBe(false));

  it.each([
    '',
    'abc1234',
    'k7w2m9x',
    'true',
    '12345678',
    'password',
    'PASSWORD',
    'undefined',
    'application/json',
    'aaaaaaaaaaaa',
    '20260101',
    '2026-01-01',
    'abcdefgh',
    'Password2024!',
    'performance',
  ])('F111 %j', (value) => {
    expect(checkSecretValue(value, 'placeholder').ok).toBe(false);
    expect(checkSecretValue(value, 'raw').ok).toBe(false);
  });

  it('E89 several lines are for raw delivery only', () => {
    const pem = `-----BEGIN KEY-----\n${good}\n-----END KEY-----\n`;
    expect(checkSecretValue(pem, 'placeholder').ok).toBe(false);
    expect(checkSecretValue(pem, 'raw').ok).toBe(true);
  });
});

describe('F: output scrubbing', () => {
  it('F109 each stream has its own overlap buffer', () => {
    const value = randomBytes(16).toString('hex');
    const redactor = redactorFor(value);
    const [stdout, stderr] = [redactor.stream(), redactor.stream()];
    const out = [stdout.push(Buffer.from(value.slice(0, 10))), stdout.push(Buffer.from(value.slice(10))), stdout.end()];
    const err = [stderr.push(Buffer.from('noise')), stderr.end()];
    expect(Buffer.concat(out).toString()).toBe(REDACTION_MASK);
    expect(Buffer.concat(err).toString()).toBe('noise');
  });

  it('F112 a PEM value is masked when it is printed line by line, its short last line too', () => {
    const body = randomBytes(2000)
      .toString('base64')
      .replace(/(.{64})/g, '$1\n');
    const pem = `-----BEGIN PRIVATE KEY-----\n${body}\nQUE9\n-----END PRIVATE KEY-----\n`;
    const redactor = redactorFor(pem);
    const printed = redactor.text(pem.split('\n').join('\r\n  '));
    for (const line of body.split('\n').filter((piece) => piece.length >= 8)) expect(printed).not.toContain(line);
    expect(redactor.text(pem)).not.toContain('QUE9');
    expect(redactor.text(Buffer.from(pem).toString('base64')).length).toBeLessThan(pem.length / 2);
  });

  it('F112 each string of a JSON value is masked on its own', () => {
    const [token, inner] = [randomBytes(20).toString('hex'), randomBytes(20).toString('hex')];
    const redactor = redactorFor(JSON.stringify({ token, nested: { list: [inner] } }));
    expect(redactor.text(`${token} ${inner}`)).toBe(`${REDACTION_MASK} ${REDACTION_MASK}`);
  });

  it('F113 the same mask stands for every secret', () => {
    const values = [randomBytes(16).toString('hex'), randomBytes(16).toString('base64')];
    const masked = values.map((value) => redactorFor(...values).text(value));
    expect(new Set(masked)).toEqual(new Set([REDACTION_MASK]));
  });

  it('F115 a secret that is written in pieces of characters is masked in the output of a run', () => {
    const value = `${randomBytes(9).toString('hex')}\u00e9\u20ac${randomBytes(4).toString('hex')}`;
    const output = new RunOutput(redactorFor(value).stream(), () => {});
    for (const byte of Buffer.from(`<${value}>`)) output.push(Uint8Array.of(byte));
    expect(output.end()).toBe(`<${REDACTION_MASK}>`);
  });

  it('F115 bytes are masked before anything is decoded: invalid UTF-8 and NUL around a secret change nothing', () => {
    const value = randomBytes(16).toString('hex');
    const broken = Buffer.from([0xff, 0x00, 0xc3]);
    const output = Buffer.from(redactorFor(value).bytes(Buffer.concat([broken, Buffer.from(value), broken])));
    expect(output).toEqual(Buffer.concat([broken, Buffer.from(REDACTION_MASK), broken]));
  });
});

import type { DecoderBuilder, Place, Steps } from './redactionDecoder.ts';

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

export const code = (character: string): number => character.charCodeAt(0);
export const bytesOf = (text: string): readonly number[] => [...new TextEncoder().encode(text)];
export const stepsOf = (bytes: readonly number[]): Steps => bytes.map((byte) => [byte]);
export const unitsOf = (text: string): readonly number[] =>
  Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));

/** The digits as steps that accept either case. */
export function hexSteps(value: number, digits: number): Steps {
  return [...value.toString(16).padStart(digits, '0')].map((digit) => {
    const upper = digit.toUpperCase();
    return upper === digit ? [code(digit)] : [code(digit), code(upper)];
  });
}

/** How one character is written, by what stands before it. Computed once a character: values repeat them. */
type Spelling = Readonly<{
  plain: readonly Steps[];
  afterBackslash: readonly Steps[];
  afterAmpersand: readonly Steps[];
  decimal: Steps;
  hex: Steps;
}>;

/** Adds characters to a decoder in all their spellings: raw, percent (once or twice), JSON, JavaScript and HTML escapes. */
export class CharacterSpellings {
  readonly #decoder: DecoderBuilder;
  readonly #known = new Map<string, Spelling>();

  constructor(decoder: DecoderBuilder) {
    this.#decoder = decoder;
  }

  /** Adds all spellings of one character between two places. */
  add(from: Place, character: string, to: number): void {
    const decoder = this.#decoder;
    const spelling = this.#spellingOf(character);
    for (const steps of spelling.plain) decoder.path(from, steps, to);

    const afterBackslashes: number[] = [];
    let place = from;
    for (let count = 0; count < maxBackslashes; count += 1) {
      const next = decoder.next(place, [code('\\')]);
      afterBackslashes.push(next);
      place = [next];
    }
    for (const steps of spelling.afterBackslash) decoder.path(afterBackslashes, steps, to);

    const ampersand = decoder.next(from, [code('&')]);
    for (const steps of spelling.afterAmpersand) decoder.path([ampersand], steps, to);
    const hash = decoder.next([ampersand], [code('#')]);
    decoder.path(this.#withZeros(hash), spelling.decimal, to);
    decoder.path(this.#withZeros(decoder.next([hash], [code('x'), code('X')])), spelling.hex, to);
  }

  #withZeros(start: number): Place {
    const place = [start];
    for (let zeros = 0; zeros < maxLeadingZeros; zeros += 1) {
      place.push(this.#decoder.next(place.slice(-1), [code('0')]));
    }
    return place;
  }

  #spellingOf(character: string): Spelling {
    const known = this.#known.get(character);
    if (known !== undefined) return known;
    const spelling = spell(character);
    this.#known.set(character, spelling);
    return spelling;
  }
}

function spell(character: string): Spelling {
  const point = character.codePointAt(0) ?? 0;
  // Text that was put into a URL twice has `%25` for each percent sign.
  const percent = (bytes: readonly number[]): readonly Steps[] =>
    ['%', '%25'].map((sign) => bytes.flatMap((byte) => [...stepsOf(bytesOf(sign)), ...hexSteps(byte, 2)]));
  const utf8 = bytesOf(character);
  const plain = [stepsOf(utf8), ...percent(utf8)];
  if (character === ' ') plain.push([[code('+')]]);
  if (character === '\n') plain.push(stepsOf(bytesOf('\r\n')));
  // Latin-1, as header values travel.
  if (point > 0x7f && point <= 0xff) plain.push([[point]], ...percent([point]));

  const unicode = unitsOf(character).flatMap((unit, index) => [
    ...(index > 0 ? [[code('\\')]] : []),
    [code('u')],
    ...hexSteps(unit, 4),
  ]);
  const afterBackslash: Steps[] = [unicode];
  if (point <= 0xff) afterBackslash.push([[code('x')], ...hexSteps(point, 2)]);
  const short = shortEscapes[character];
  if (short !== undefined) afterBackslash.push([[code(short)]]);
  return {
    plain,
    afterBackslash,
    afterAmpersand: (entityNames[character] ?? []).map((name) => stepsOf(bytesOf(`${name};`))),
    decimal: stepsOf(bytesOf(`${point};`)),
    hex: [...hexSteps(point, 1), [code(';')]],
  };
}

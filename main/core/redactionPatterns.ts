import { type AutomatonBuilder, beginning, type Place } from './redactionAutomaton.ts';
import { bytesOf, CharacterSpellings, code, hexSteps, stepsOf, unitsOf } from './redactionCharacters.ts';

// Values of one service begin alike, and everybody knows how; so much of the beginning is shared. Text that repeats a
// beginning would else be compared with every value at every byte. A token's head of JSON takes about 40 characters.
const sharedLength = 64;

/** One step into a spelling: the node that it ends at, and where the next one goes on. */
type Step = Readonly<{ node: number; place: Place }>;

/**
 * Adds to an automaton the spellings in which a secret can come back: raw UTF-8 and Latin-1; percent, JSON, JavaScript
 * and HTML escapes in any mix; base64 and base64url in all three alignments, wrapped or not; hex and decimal byte
 * lists; UTF-16; reversed.
 */
export class SecretSpellings {
  readonly #automaton: AutomatonBuilder;
  readonly #characters: CharacterSpellings;
  readonly #prefixes = new Map<string, number>();
  readonly #steps = new Map<string, Step>();

  constructor(automaton: AutomatonBuilder) {
    this.#automaton = automaton;
    this.#characters = new CharacterSpellings(automaton);
  }

  add(text: string): void {
    this.#addEscaped(text);
    this.#addLiteral(bytesOf([...text].reverse().join('')));
    const units = unitsOf(text);
    this.#addLiteral(units.flatMap((unit) => [unit & 0xff, unit >> 8]));
    this.#addLiteral(units.flatMap((unit) => [unit >> 8, unit & 0xff]));
    this.#addBytes(bytesOf(text));
    const isLatin1 = units.every((unit) => unit <= 0xff);
    if (isLatin1 && units.some((unit) => unit > 0x7f)) this.#addBytes(units);
  }

  #addEscaped(text: string): void {
    let place = beginning;
    let prefix = '';
    for (const character of text) {
      prefix += character;
      const known = prefix.length <= sharedLength ? this.#prefixes.get(prefix) : undefined;
      const next = known ?? this.#automaton.node();
      if (known === undefined) this.#characters.add(place, character, next);
      if (prefix.length <= sharedLength) this.#prefixes.set(prefix, next);
      place = [next];
    }
    this.#automaton.accept(place);
  }

  #addLiteral(bytes: readonly number[]): void {
    const last = this.#automaton.node();
    this.#automaton.path(beginning, stepsOf(bytes), last);
    this.#automaton.accept([last]);
  }

  #addBytes(bytes: readonly number[]): void {
    this.#addHex(bytes);
    this.#addDecimalList(bytes);
    for (const bytesBefore of [0, 1, 2]) this.#addBase64(bytes, bytesBefore);
  }

  /** The step that ends after so many bytes in this kind of spelling: made once for all values that begin with them. */
  #step(kind: string, bytes: readonly number[], length: number, make: () => Step): Step {
    if (length > sharedLength) return make();
    const key = `${kind} ${String.fromCharCode(...bytes.slice(0, length))}`;
    const step = this.#steps.get(key) ?? make();
    this.#steps.set(key, step);
    return step;
  }

  /** Hex in any case, bytes joined or apart (`de:ad`, `<Buffer de ad>`, `0xde, 0xad`). */
  #addHex(bytes: readonly number[]): void {
    const automaton = this.#automaton;
    let place = beginning;
    let last: Place = [];
    for (const [index, byte] of bytes.entries()) {
      const step = this.#step('hex', bytes, index + 1, () => {
        const next = automaton.node();
        automaton.path(place, hexSteps(byte, 2), next);
        const separated = automaton.next([next], [...': -_,'].map(code));
        const spaced = automaton.next([separated], [code(' ')]);
        const zero = automaton.next([separated, spaced], [code('0')]);
        return { node: next, place: [next, separated, spaced, automaton.next([zero], [code('x')])] };
      });
      last = [step.node];
      place = step.place;
    }
    automaton.accept(last);
  }

  /** A list of numbers, as a byte array is printed or put into JSON (`[115, 107]`). */
  #addDecimalList(bytes: readonly number[]): void {
    const automaton = this.#automaton;
    let place = beginning;
    let last: Place = [];
    for (const [index, byte] of bytes.entries()) {
      const step = this.#step('decimal', bytes, index + 1, () => {
        const next = automaton.node();
        automaton.path(place, stepsOf(bytesOf(String(byte))), next);
        const spaced = [automaton.next([next], [code(',')])];
        for (let spaces = 0; spaces < maxSpacesInList; spaces += 1) {
          spaced.push(automaton.next(spaced.slice(-1), [...' \n\r\t'].map(code)));
        }
        return { node: next, place: spaced };
      });
      last = [step.node];
      place = step.place;
    }
    automaton.accept(last);
  }

  /**
   * Base64 of a longer text that holds the secret after `bytesBefore` (mod 3) other bytes. Characters that also carry
   * bits of a neighbour may be any that agrees with the secret's bits; they are swallowed if present, not required.
   */
  #addBase64(bytes: readonly number[], bytesBefore: number): void {
    const automaton = this.#automaton;
    const firstBit = bytesBefore * 8;
    const endBit = firstBit + bytes.length * 8;
    let place = beginning;
    for (let index = Math.floor(firstBit / 6); index * 6 < endBit; index += 1) {
      const make = (): Step => {
        const next = automaton.node();
        for (const value of sextets(bytes, index * 6 - firstBit)) this.#addBase64Character(place, value, next);
        // No line break after the first, shared character: every line that ends in a letter would be held back.
        return { node: next, place: index * 6 >= firstBit ? this.#withLineBreak(next) : [...beginning, next] };
      };
      const endsInside = (index + 1) * 6 <= endBit;
      const bytesSoFar = Math.ceil(((index + 1) * 6 - firstBit) / 8);
      // The last character may be any that agrees with the last bits, so it belongs to this value alone.
      const { node: next, place: after } = endsInside
        ? this.#step(`base64 ${bytesBefore} ${index}`, bytes, bytesSoFar, make)
        : make();
      if (!endsInside) automaton.accept([...place, next].filter((node) => !beginning.includes(node)));
      else if ((index + 1) * 6 === endBit) automaton.accept([next]);
      place = after;
    }
  }

  #addBase64Character(from: Place, value: number, to: number): void {
    const character = base64Alphabet[value] ?? '';
    if (value < 62) {
      this.#automaton.edge(from, code(character), to);
      return;
    }
    // In URLs and JSON these two are escaped; base64url has others in their place.
    this.#characters.add(from, character, to);
    this.#automaton.edge(from, code(value === 62 ? '-' : '_'), to);
  }

  /** Encoders wrap long base64 with LF or CRLF. */
  #withLineBreak(node: number): Place {
    const wrapped = this.#automaton.node();
    this.#automaton.path([node], stepsOf(bytesOf('\n')), wrapped);
    this.#automaton.path([node], stepsOf(bytesOf('\r\n')), wrapped);
    return [node, wrapped];
  }
}

const maxSpacesInList = 8;
const base64Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The values of six bits from `bit` on; bits before the first and after the last byte may be anything. */
function sextets(bytes: readonly number[], bit: number): readonly number[] {
  let values = [0];
  for (let offset = bit; offset < bit + 6; offset += 1) {
    const byte = offset < 0 ? undefined : bytes[offset >> 3];
    const choices = byte === undefined ? [0, 1] : [(byte >> (7 - (offset & 7))) & 1];
    values = values.flatMap((value) => choices.map((choice) => value * 2 + choice));
  }
  return values;
}

import type { AutomatonBuilder } from './redactionAutomaton.ts';
import { bytesOf, CharacterSpellings, code, hexSteps, stepsOf, unitsOf } from './redactionCharacters.ts';
import type { DecoderBuilder, Place } from './redactionDecoder.ts';
import type { Pieces } from './redactionPieces.ts';

const maxSpacesInList = 8;
const base64Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const allBits = 63;

/**
 * Adds to an automaton the spellings in which a secret can come back: raw UTF-8 and Latin-1; percent, JSON, JavaScript
 * and HTML escapes in any mix; base64 and base64url in all three alignments, wrapped or not; hex and decimal byte
 * lists; UTF-16; reversed.
 */
export class SecretSpellings {
  readonly #automaton: AutomatonBuilder;
  readonly #decoder: DecoderBuilder;
  readonly #characters: CharacterSpellings;
  readonly #character: (point: number) => number;
  readonly #byte: (byte: number) => number;
  readonly #hex: readonly [first: (byte: number) => number, next: (byte: number) => number];
  readonly #decimal: readonly [first: (byte: number) => number, next: (byte: number) => number];
  readonly #base64: readonly [first: (bits: number) => number, next: (bits: number) => number];

  constructor(automaton: AutomatonBuilder, decoder: DecoderBuilder, pieces: Pieces) {
    this.#automaton = automaton;
    this.#decoder = decoder;
    this.#characters = new CharacterSpellings(decoder);
    this.#character = pieces.kind((point, from, to) => this.#characters.add(from, String.fromCodePoint(point), to));
    this.#byte = pieces.kind((byte, from, to) => decoder.edge(from, byte, to));
    const hex = (byte: number, from: Place, to: number): void => decoder.path(from, hexSteps(byte, 2), to);
    this.#hex = [pieces.kind(hex), pieces.kind((byte, from, to) => hex(byte, this.#betweenHex(from), to))];
    const decimal = (byte: number, from: Place, to: number): void =>
      decoder.path(from, stepsOf(bytesOf(String(byte))), to);
    this.#decimal = [
      pieces.kind(decimal),
      pieces.kind((byte, from, to) => decimal(byte, this.#betweenDecimals(from), to)),
    ];
    const base64 = (bits: number, from: Place, to: number): void => this.#base64Character(bits, from, to);
    this.#base64 = [pieces.kind(base64), pieces.kind((bits, from, to) => base64(bits, this.#betweenBase64(from), to))];
  }

  add(text: string): void {
    const characters = [...text];
    this.#automaton.add({ pieces: characters.map((character) => this.#character(character.codePointAt(0) ?? 0)) });
    this.#addLiteral(bytesOf(characters.reverse().join('')));
    const units = unitsOf(text);
    this.#addLiteral(units.flatMap((unit) => [unit & 0xff, unit >> 8]));
    this.#addLiteral(units.flatMap((unit) => [unit >> 8, unit & 0xff]));
    this.#addBytes(bytesOf(text));
    const isLatin1 = units.every((unit) => unit <= 0xff);
    if (isLatin1 && units.some((unit) => unit > 0x7f)) this.#addBytes(units);
  }

  #addLiteral(bytes: readonly number[]): void {
    this.#automaton.add({ pieces: bytes.map(this.#byte) });
  }

  #addBytes(bytes: readonly number[]): void {
    for (const [first, next] of [this.#hex, this.#decimal]) {
      this.#automaton.add({ pieces: bytes.map((byte, index) => (index === 0 ? first(byte) : next(byte))) });
    }
    for (const bytesBefore of [0, 1, 2]) this.#addBase64(bytes, bytesBefore);
  }

  /**
   * Base64 of a longer text that holds the secret after `bytesBefore` (mod 3) other bytes. Characters that also carry
   * bits of a neighbour may be any that agrees with the secret's bits; they are swallowed if present, not required.
   */
  #addBase64(bytes: readonly number[], bytesBefore: number): void {
    const [first, next] = this.#base64;
    const firstBit = bytesBefore * 8;
    const endBit = firstBit + bytes.length * 8;
    const pieces: number[] = [];
    // No line break after a first, shared character: every line that ends in a letter would be held back.
    for (let bit = Math.ceil(firstBit / 6) * 6; bit < endBit; bit += 6) {
      const bits = sixBits(bytes, bit - firstBit);
      pieces.push(pieces.length === 0 ? first(bits) : next(bits));
    }
    const leadBit = Math.floor(firstBit / 6) * 6;
    const lead = leadBit < firstBit ? first(sixBits(bytes, leadBit - firstBit)) : undefined;
    this.#automaton.add({ pieces, lead, openEnd: endBit % 6 !== 0 });
  }

  /** `bits`: the six bits of the character, and above them which of them are known. */
  #base64Character(bits: number, from: Place, to: number): void {
    const known = bits >> 6;
    for (const [value, character] of [...base64Alphabet].entries()) {
      if ((value & known) !== (bits & known)) continue;
      if (value < 62) {
        this.#decoder.edge(from, code(character), to);
        continue;
      }
      // In URLs and JSON these two are escaped; base64url has others in their place.
      this.#characters.add(from, character, to);
      this.#decoder.edge(from, code(value === 62 ? '-' : '_'), to);
    }
  }

  /** Bytes in hex stand joined or apart: `de:ad`, `<Buffer de ad>`, `0xde, 0xad`. */
  #betweenHex(from: Place): Place {
    const separated = this.#decoder.next(from, [...': -_,'].map(code));
    const spaced = this.#decoder.next([separated], [code(' ')]);
    const zero = this.#decoder.next([separated, spaced], [code('0')]);
    return [...from, separated, spaced, this.#decoder.next([zero], [code('x')])];
  }

  /** A list of numbers, as a byte array is printed or put into JSON (`[115, 107]`). */
  #betweenDecimals(from: Place): Place {
    const place = [this.#decoder.next(from, [code(',')])];
    for (let spaces = 0; spaces < maxSpacesInList; spaces += 1) {
      place.push(this.#decoder.next(place.slice(-1), [...' \n\r\t'].map(code)));
    }
    return place;
  }

  /** Encoders wrap long base64 with LF or CRLF. */
  #betweenBase64(from: Place): Place {
    const wrapped = this.#decoder.node();
    this.#decoder.path(from, stepsOf(bytesOf('\n')), wrapped);
    this.#decoder.path(from, stepsOf(bytesOf('\r\n')), wrapped);
    return [...from, wrapped];
  }
}

/** The six bits from `bit` on, and above them which are known: those before the first and after the last byte are not. */
function sixBits(bytes: readonly number[], bit: number): number {
  let value = 0;
  let known = 0;
  for (let offset = bit; offset < bit + 6; offset += 1) {
    const byte = offset < 0 ? undefined : bytes[offset >> 3];
    value = value * 2 + (byte === undefined ? 0 : (byte >> (7 - (offset & 7))) & 1);
    known = known * 2 + (byte === undefined ? 0 : 1);
  }
  return known * (allBits + 1) + value;
}

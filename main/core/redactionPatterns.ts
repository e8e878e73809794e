import type { AutomatonBuilder } from './redactionAutomaton.ts';
import { type Base, BaseSpellings, base32, base32Lower, base64, lettersBits } from './redactionBases.ts';
import { bytesOf, CharacterSpellings, code, hexSteps, stepsOf, unitsOf } from './redactionCharacters.ts';
import type { DecoderBuilder, Place } from './redactionDecoder.ts';
import type { Pieces } from './redactionPieces.ts';

const maxSpacesInList = 8;

/** Pieces of one kind: as the first of a value, and after others, where something may stand between. */
type Kinds = readonly [first: (value: number) => number, next: (value: number) => number];

/**
 * Adds to an automaton the spellings in which a secret can come back: raw UTF-8 and Latin-1; percent (also
 * twice), JSON, JavaScript and HTML escapes in any mix; base64, base64url and base32 in all alignments, wrapped or not;
 * hex and decimal byte lists; UTF-16; reversed.
 */
export class SecretSpellings {
  readonly #automaton: AutomatonBuilder;
  readonly #decoder: DecoderBuilder;
  readonly #characters: CharacterSpellings;
  readonly #character: (point: number) => number;
  readonly #byte: (byte: number) => number;
  readonly #hex: Kinds;
  readonly #decimal: Kinds;
  readonly #bases: readonly Readonly<{ base: Base; kinds: Kinds }>[];

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
    const letters = new BaseSpellings(decoder, this.#characters);
    this.#bases = [base64, base32, base32Lower].map((base) => ({
      base,
      kinds: [
        pieces.kind((bits, from, to) => letters.add(base, bits, from, to)),
        pieces.kind((bits, from, to) => letters.add(base, bits, letters.between(from), to)),
      ],
    }));
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
    for (const { base, kinds } of this.#bases) {
      for (let before = 0; before < base.alignments; before += 1) this.#addLetters(base, kinds, bytes, before);
    }
  }

  /**
   * Base64 or base32 of a longer text that holds the secret after `bytesBefore` (mod alignments) other bytes. Letters that
   * also carry bits of a neighbour may be any that agrees with the secret's bits; they are swallowed if present, not
   * required.
   */
  #addLetters({ width }: Base, [first, next]: Kinds, bytes: readonly number[], bytesBefore: number): void {
    const firstBit = bytesBefore * 8;
    const endBit = firstBit + bytes.length * 8;
    const pieces: number[] = [];
    // No line break after a first, shared letter: every line that ends in a letter would be held back.
    for (let bit = Math.ceil(firstBit / width) * width; bit < endBit; bit += width) {
      const bits = lettersBits(bytes, bit - firstBit, width);
      pieces.push(pieces.length === 0 ? first(bits) : next(bits));
    }
    const leadBit = Math.floor(firstBit / width) * width;
    const lead = leadBit < firstBit ? first(lettersBits(bytes, leadBit - firstBit, width)) : undefined;
    this.#automaton.add({ pieces, lead, openEnd: endBit % width !== 0 });
  }

  /** Bytes in hex stand joined or apart: `de:ad`, `<Buffer de ad>`, `0xde, 0xad`. */
  #betweenHex(from: Place): Place {
    const separated = this.#decoder.next(from, [...': -_,'].map(code));
    const spaced = this.#decoder.next([separated], [code(' ')]);
    const zero = this.#decoder.next([separated, spaced], [code('0')]);
    return [...from, separated, spaced, this.#decoder.next([zero], [code('x')])];
  }

  /** A list of numbers, as a byte array is printed or put into JSON: `[115, 107]`, `115 107`. */
  #betweenDecimals(from: Place): Place {
    const blanks = [...' \n\r\t'].map(code);
    const place = [this.#decoder.next(from, [code(','), ...blanks])];
    for (let spaces = 0; spaces < maxSpacesInList; spaces += 1) {
      place.push(this.#decoder.next(place.slice(-1), blanks));
    }
    return place;
  }
}

import { bytesOf, type CharacterSpellings, code, stepsOf } from './redactionCharacters.ts';
import type { DecoderBuilder, Place } from './redactionDecoder.ts';

/** A way to write bits as letters, so many bits a letter. RFC 4648. */
export type Base = Readonly<{
  width: number;
  letters: readonly string[];
  /** After so many bytes (mod this) a byte begins at a new letter again. */
  alignments: number;
}>;

const latin = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

export const base64: Base = {
  width: 6,
  letters: [...`${latin}${latin.toLowerCase()}0123456789+/`],
  alignments: 3,
};

export const base32: Base = { width: 5, letters: [...`${latin}234567`], alignments: 5 };
/** Apart from the other: letters of either case in any mix would let much more text look like a beginning. */
export const base32Lower: Base = { ...base32, letters: base32.letters.map((letter) => letter.toLowerCase()) };

/** More than any width. */
const maskShift = 6;

/** How the letters of a base are written, and what may stand between two of them. */
export class BaseSpellings {
  readonly #decoder: DecoderBuilder;
  readonly #characters: CharacterSpellings;

  constructor(decoder: DecoderBuilder, characters: CharacterSpellings) {
    this.#decoder = decoder;
    this.#characters = characters;
  }

  /** `bits`: those of the letter, and above them which of them are known. */
  add({ letters }: Base, bits: number, from: Place, to: number): void {
    const known = bits >> maskShift;
    for (const [value, letter] of letters.entries()) {
      if ((value & known) !== (bits & known)) continue;
      if (letters.length === 64 && value >= 62) {
        // In URLs and JSON these two are escaped; base64url has others in their place.
        this.#characters.add(from, letter, to);
        this.#decoder.edge(from, code(value === 62 ? '-' : '_'), to);
        continue;
      }
      this.#decoder.edge(from, code(letter), to);
    }
  }

  /** Encoders wrap long text with LF or CRLF, which JSON and URLs then escape. */
  between(from: Place): Place {
    const wrapped = this.#decoder.node();
    for (const text of ['\n', '\r\n', '%0A', '%0a', '%0D%0A', '%0d%0a']) {
      this.#decoder.path(from, stepsOf(bytesOf(text)), wrapped);
    }
    // Put into JSON twice it has two backslashes.
    for (const slashes of ['\\', '\\\\']) {
      for (const text of [`${slashes}n`, `${slashes}r${slashes}n`]) {
        this.#decoder.path(from, stepsOf(bytesOf(text)), wrapped);
      }
    }
    return [...from, wrapped];
  }
}

/** The letter that begins at `bit`, and above it which of its bits are known: those beyond the bytes are not. */
export function lettersBits(bytes: readonly number[], bit: number, width: number): number {
  let value = 0;
  let known = 0;
  for (let offset = bit; offset < bit + width; offset += 1) {
    const byte = offset < 0 ? undefined : bytes[offset >> 3];
    value = value * 2 + (byte === undefined ? 0 : (byte >> (7 - (offset & 7))) & 1);
    known = known * 2 + (byte === undefined ? 0 : 1);
  }
  return (known << maskShift) | value;
}

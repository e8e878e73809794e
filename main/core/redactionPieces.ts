import type { Place } from './redactionDecoder.ts';

type Write = (from: Place, to: number) => void;

/** Numbers the pieces that patterns are made of, each once, and knows how each is written into a decoder. */
export class Pieces {
  readonly #writes: Write[] = [];

  /** Pieces of one kind, by a number that tells them apart: returns the number of a piece. */
  kind(write: (value: number, from: Place, to: number) => void): (value: number) => number {
    const known = new Map<number, number>();
    return (value) => {
      const piece = known.get(value) ?? this.#writes.length;
      if (piece === this.#writes.length) {
        this.#writes.push((from, to) => write(value, from, to));
        known.set(value, piece);
      }
      return piece;
    };
  }

  write(piece: number, from: Place, to: number): void {
    this.#writes[piece]?.(from, to);
  }
}

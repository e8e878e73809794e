/** One step of a 32-bit mixer (murmur3's finalizer): spreads whatever goes in over all bits. */
function mixed(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/**
 * Where an input takes its randomness from: a seeded generator (mulberry32), or a list of numbers that an earlier input
 * took. An input is a function of these numbers, so a smaller list makes a smaller input, whatever the input is. By
 * convention 0 is the plainest choice; a list that ends goes on with 0.
 */
export class Choices {
  /** Every number that was taken, in order. */
  readonly taken: number[] = [];
  readonly #given: readonly number[] | null;
  #state: number;

  private constructor(state: number, given: readonly number[] | null) {
    this.#state = state;
    this.#given = given;
  }

  /** Those of the input `index` of a seed: no input depends on those before it. */
  static of(seed: number, index: number): Choices {
    return new Choices(mixed(mixed(seed | 0) + Math.imul(index + 1, 0x9e3779b1)), null);
  }

  static again(given: readonly number[]): Choices {
    return new Choices(0, given);
  }

  /** An integer from 0 to `bound` - 1; `bound` at least 1. */
  below(bound: number): number {
    const given = this.#given;
    const value =
      given === null
        ? Math.floor((this.#next() / 2 ** 32) * bound)
        : Math.min(given[this.taken.length] ?? 0, bound - 1);
    this.taken.push(value);
    return value;
  }

  /** True once in `of` times. */
  rarely(of: number): boolean {
    return this.below(of) === of - 1;
  }

  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** One of a list that is not empty. */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** So many items as chance has it, at least `low` and at most `high`. */
  list<Item>(low: number, high: number, make: () => Item): Item[] {
    return Array.from({ length: this.between(low, high) }, make);
  }

  bytes(low: number, high: number): Uint8Array {
    return Uint8Array.from(this.list(low, high, () => this.below(256)));
  }

  /** The same bytes in pieces: often whole, often tiny. */
  pieces(whole: Uint8Array): readonly Uint8Array[] {
    const size = this.pick([whole.length, 1, 2, 3, 7, 16, 64, 1000]);
    const isEven = !this.rarely(2);
    const found: Uint8Array[] = [];
    for (let at = 0; at < whole.length; ) {
      const end = at + Math.max(1, isEven ? size : this.between(1, size));
      found.push(whole.subarray(at, end));
      at = end;
    }
    return found;
  }

  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return (bits ^ (bits >>> 14)) >>> 0;
  }
}

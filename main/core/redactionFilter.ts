import { type Automaton, placeAfter } from './redactionAutomaton.ts';
import { Pace, type Slices } from './slices.ts';

const gramBytes = 3;
const hashBits = 19;
/** One bit of a byte each. */
const maxStride = 6;

const hashOf = (first: number, second: number, third: number): number =>
  Math.imul(first | (second << 8) | (third << 16), 0x9e3779b1) >>> (32 - hashBits);

/**
 * Finds quickly where no match can begin. It knows which three bytes can stand at which of the first places of a match
 * (by a hash: it may say yes too often, never no), so it needs to look at one place in `stride` only.
 */
export class StartFilter {
  /** For three bytes, by hash: bit n is set when they can stand after the first n bytes of a match. */
  readonly #placesOf = new Uint8Array(1 << hashBits);
  readonly #stride: number;
  readonly #neverStarts: boolean;

  private constructor(stride: number, neverStarts: boolean) {
    this.#stride = stride;
    this.#neverStarts = neverStarts;
  }

  static *build(automaton: Automaton): Slices<StartFilter> {
    const walk = new Walk(automaton);
    // Within the shortest match all bytes are bytes of the match; beyond it anything may follow.
    const stride = Math.max(0, Math.min(maxStride, automaton.shortest - gramBytes + 1));
    const levels = yield* walk.levels(stride);
    const filter = new StartFilter(stride, automaton.startTo.length === 0);
    // Many states are reached by ways of several lengths: what follows them is looked at once.
    const bits = new Map<number, number>();
    for (const [depth, level] of levels.entries()) {
      for (const state of level) bits.set(state, (bits.get(state) ?? 0) | (1 << depth));
    }
    const pace = new Pace();
    for (const [state, bit] of bits) if (pace.isDue(filter.#mark(walk, state, bit, 0, 0))) yield;
    return filter;
  }

  /** Returns how many steps it looked at. */
  #mark(walk: Walk, state: number, bits: number, gram: number, length: number): number {
    const steps = walk.steps(state);
    let looked = 1;
    for (let at = 0; at < steps.length; at += 2) {
      const longer = gram | ((steps[at] ?? 0) << (8 * length));
      if (length < gramBytes - 1) {
        looked += this.#mark(walk, steps[at + 1] ?? 0, bits, longer, length + 1);
        continue;
      }
      const hash = hashOf(longer & 0xff, (longer >> 8) & 0xff, longer >> 16);
      this.#placesOf[hash] = (this.#placesOf[hash] ?? 0) | bits;
    }
    return looked + steps.length / 2;
  }

  /** False when no match begins at `index`, whatever follows the chunk. */
  mayStart(chunk: Uint8Array, index: number): boolean {
    const end = Math.min(index + this.#stride, chunk.length - gramBytes + 1);
    let bit = 1;
    for (let at = index; at < end; at += 1) {
      const hash = hashOf(chunk[at] ?? 0, chunk[at + 1] ?? 0, chunk[at + 2] ?? 0);
      if (((this.#placesOf[hash] ?? 0) & bit) === 0) return false;
      bit <<= 1;
    }
    return true;
  }

  /** The first place from `index` on where a match may begin; the length of the chunk when there is none. */
  nextStart(chunk: Uint8Array, index: number): number {
    if (this.#neverStarts) return chunk.length;
    const placesOf = this.#placesOf;
    const stride = this.#stride;
    let at = index;
    if (stride > 0) {
      // The three bytes at `look` are part of any match that begins at one of the `stride` places up to there.
      for (let look = at + stride - 1; look + 2 < chunk.length; look += stride) {
        const places = placesOf[hashOf(chunk[look] ?? 0, chunk[look + 1] ?? 0, chunk[look + 2] ?? 0)] ?? 0;
        if (places !== 0) {
          for (let back = stride - 1; back >= 0; back -= 1) {
            if ((places & (1 << back)) !== 0 && this.mayStart(chunk, look - back)) return look - back;
          }
        }
        at = look + 1;
      }
    }
    while (at < chunk.length && !this.mayStart(chunk, at)) at += 1;
    return at;
  }
}

/** Walks through the beginnings of all matches at once. How far a match is has a number here, given as it is reached. */
class Walk {
  readonly #automaton: Automaton;
  readonly #numbers = new Map<number, number>();
  readonly #places: number[] = [];
  readonly #nodes: number[] = [];
  readonly #steps: (readonly number[])[] = [];

  constructor(automaton: Automaton) {
    this.#automaton = automaton;
  }

  /** What can follow: a byte and the state that it leads to, by turns. */
  steps(state: number): readonly number[] {
    const steps = this.#steps[state] ?? this.#stepsFrom(this.#places[state] ?? 0, this.#nodes[state] ?? 0);
    this.#steps[state] = steps;
    return steps;
  }

  /** The states after 0, 1, ... bytes: so many sets as `count` says. */
  *levels(count: number): Slices<readonly ReadonlySet<number>[]> {
    const pace = new Pace();
    const levels = [new Set([this.#numberOf(0, this.#automaton.entry[0] ?? 0)])];
    while (levels.length < count) {
      const next = new Set<number>();
      for (const state of levels.at(-1) ?? []) {
        const steps = this.steps(state);
        for (let at = 1; at < steps.length; at += 2) next.add(steps[at] ?? 0);
        if (pace.isDue(steps.length)) yield;
      }
      levels.push(next);
    }
    return levels.slice(0, count);
  }

  #stepsFrom(place: number, node: number): readonly number[] {
    const { decoder, entry } = this.#automaton;
    const { edgeIndex, edgeByte, edgeTo, exit } = decoder;
    const steps: number[] = [];
    for (let edge = edgeIndex[node] ?? 0; edge < (edgeIndex[node + 1] ?? 0); edge += 1) {
      const to = edgeTo[edge] ?? 0;
      const out = exit[to] ?? -1;
      const next = out < 0 ? place : placeAfter(this.#automaton, place, out);
      steps.push(edgeByte[edge] ?? 0, this.#numberOf(next, out < 0 ? to : (entry[next] ?? 0)));
    }
    return steps;
  }

  #numberOf(place: number, node: number): number {
    const key = place * this.#automaton.decoder.nodeCount + node;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#places.push(place) - 1;
    this.#nodes.push(node);
    this.#numbers.set(key, number);
    return number;
  }
}

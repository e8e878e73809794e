import { type Automaton, placeAfter } from './redactionAutomaton.ts';

const gramBytes = 3;
const hashBits = 18;
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

  constructor(automaton: Automaton) {
    this.#neverStarts = automaton.startTo.length === 0;
    const walk = new Walk(automaton);
    // Within the shortest match all bytes are bytes of the match; beyond it anything may follow.
    this.#stride = Math.min(maxStride, walk.shortestMatch(maxStride + gramBytes - 1) - gramBytes + 1);
    let level: ReadonlyMap<number, State> = walk.beginning;
    for (let depth = 0; depth < this.#stride; depth += 1) {
      for (const state of level.values()) this.#mark(walk, state, 1 << depth, 0, 0);
      level = walk.next(level);
    }
  }

  #mark(walk: Walk, state: State, bit: number, gram: number, length: number): void {
    for (const [byte, next] of walk.steps(state)) {
      const longer = gram | (byte << (8 * length));
      if (length < gramBytes - 1) {
        this.#mark(walk, next, bit, longer, length + 1);
        continue;
      }
      const hash = hashOf(longer & 0xff, (longer >> 8) & 0xff, longer >> 16);
      this.#placesOf[hash] = (this.#placesOf[hash] ?? 0) | bit;
    }
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

/** How far a match is: a place in the patterns and a node of the decoder. */
type State = Readonly<{ place: number; node: number }>;

/** Walks through the beginnings of all matches at once. */
class Walk {
  readonly #automaton: Automaton;
  readonly beginning: ReadonlyMap<number, State>;
  readonly #known = new Map<number, readonly (readonly [byte: number, state: State])[]>();

  constructor(automaton: Automaton) {
    this.#automaton = automaton;
    const beginning = { place: 0, node: automaton.entry[0] ?? 0 };
    this.beginning = new Map([[this.#keyOf(beginning), beginning]]);
  }

  steps(state: State): readonly (readonly [byte: number, state: State])[] {
    const key = this.#keyOf(state);
    const known = this.#known.get(key) ?? this.#stepsFrom(state);
    this.#known.set(key, known);
    return known;
  }

  #stepsFrom({ place, node }: State): readonly (readonly [byte: number, state: State])[] {
    const { decoder, entry } = this.#automaton;
    const { edgeIndex, edgeByte, edgeTo, exit } = decoder;
    const steps: (readonly [byte: number, state: State])[] = [];
    for (let edge = edgeIndex[node] ?? 0; edge < (edgeIndex[node + 1] ?? 0); edge += 1) {
      const to = edgeTo[edge] ?? 0;
      const out = exit[to] ?? -1;
      const next = out < 0 ? place : placeAfter(this.#automaton, place, out);
      steps.push([edgeByte[edge] ?? 0, { place: next, node: out < 0 ? to : (entry[next] ?? 0) }]);
    }
    return steps;
  }

  next(level: ReadonlyMap<number, State>): ReadonlyMap<number, State> {
    const next = new Map<number, State>();
    for (const state of level.values()) {
      for (const [, after] of this.steps(state)) next.set(this.#keyOf(after), after);
    }
    return next;
  }

  /** The length of the shortest match, but no more than `most`; bytes. */
  shortestMatch(most: number): number {
    const { entry, accepting } = this.#automaton;
    let level = this.beginning;
    for (let length = 1; length < most; length += 1) {
      level = this.next(level);
      // A match ends where a piece ends, that is where the next begins.
      if ([...level.values()].some(({ place, node }) => accepting.has(place) && node === entry[place])) return length;
    }
    return most;
  }

  #keyOf({ place, node }: State): number {
    return place * this.#automaton.decoder.nodeCount + node;
  }
}

/**
 * A search automaton over bytes, frozen into typed arrays. It is a graph without cycles, so a match in progress is
 * never longer than the longest path: that bounds what a stream must hold back.
 *
 * Why not Aho-Corasick over literal strings: escapes can be mixed freely (`%41B%43`), and spelling out every mix is
 * exponential. Here each character has its spellings side by side.
 */
export type Automaton = Readonly<{
  nodeCount: number;
  /** Edges that begin a match, grouped by byte: `startTo[startIndex[b] .. startIndex[b + 1])`. */
  startIndex: Int32Array;
  startTo: Int32Array;
  /** Whether a match can begin with three bytes, by `tripleHash`: lets a search skip quickly. May say yes too often. */
  startTriples: Uint8Array;
  /** The same for three bytes that begin a match or stand second in it: lets a search look at every other byte only. */
  nearTriples: Uint8Array;
  /** Edges of node n: `edgeIndex[n] .. edgeIndex[n + 1])`. */
  edgeIndex: Int32Array;
  edgeByte: Uint8Array;
  edgeTo: Int32Array;
  accepting: Uint8Array;
}>;

/** A place in a pattern: the nodes that are equally far into it. */
export type Place = readonly number[];

/** What to read one after the other: any one byte of each step. */
export type Steps = readonly (readonly number[])[];

/** The place before the first byte of every pattern. */
export const beginning: Place = [0];

export class AutomatonBuilder {
  readonly #from: number[] = [];
  readonly #byte: number[] = [];
  readonly #to: number[] = [];
  readonly #accepting = new Set<number>();
  #nodeCount = 1;

  // Nodes that only patterns with the same beginning pass, by how they are reached: many secrets, one way in.
  readonly #shared = new Map<string, number>();
  readonly #isShared = new Set<number>(beginning);

  node(): number {
    this.#nodeCount += 1;
    return this.#nodeCount - 1;
  }

  /**
   * The node one step (any one of `bytes`) further. Never lead another edge to it: near the beginning it is shared with
   * all patterns that took the same way.
   */
  next(from: Place, bytes: readonly number[]): number {
    const sharable = from.every((node) => this.#isShared.has(node));
    const key = sharable ? `${from.join()}:${bytes.join()}` : '';
    const known = sharable ? this.#shared.get(key) : undefined;
    if (known !== undefined) return known;
    const node = this.node();
    for (const byte of bytes) this.edge(from, byte, node);
    if (sharable) {
      this.#shared.set(key, node);
      this.#isShared.add(node);
    }
    return node;
  }

  edge(from: Place, byte: number, to: number): void {
    for (const node of from) {
      this.#from.push(node);
      this.#byte.push(byte);
      this.#to.push(to);
    }
  }

  /** Leads over the given bytes, any one of each step, to `to`. */
  path(from: Place, steps: Steps, to: number): void {
    let place = from;
    for (let index = 0; index < steps.length - 1; index += 1) place = [this.next(place, steps[index] ?? [])];
    for (const byte of steps.at(-1) ?? []) this.edge(place, byte, to);
  }

  accept(place: Place): void {
    for (const node of place) this.#accepting.add(node);
  }

  freeze(): Automaton {
    const edgeCount = this.#from.length;
    const startIndex = new Int32Array(257);
    const edgeIndex = new Int32Array(this.#nodeCount + 1);
    for (let edge = 0; edge < edgeCount; edge += 1) {
      const from = this.#from[edge] ?? 0;
      const group = from === 0 ? startIndex : edgeIndex;
      const key = from === 0 ? (this.#byte[edge] ?? 0) : from;
      group[key + 1] = (group[key + 1] ?? 0) + 1;
    }
    for (const index of [startIndex, edgeIndex]) {
      for (let key = 1; key < index.length; key += 1) index[key] = (index[key] ?? 0) + (index[key - 1] ?? 0);
    }
    const startTo = new Int32Array(startIndex[256] ?? 0);
    const edgeTo = new Int32Array(edgeIndex[this.#nodeCount] ?? 0);
    const edgeByte = new Uint8Array(edgeTo.length);
    const startFill = startIndex.slice();
    const edgeFill = edgeIndex.slice();
    for (let edge = 0; edge < edgeCount; edge += 1) {
      const from = this.#from[edge] ?? 0;
      const byte = this.#byte[edge] ?? 0;
      const fill = from === 0 ? startFill : edgeFill;
      const key = from === 0 ? byte : from;
      const slot = fill[key] ?? 0;
      fill[key] = slot + 1;
      if (from === 0) {
        startTo[slot] = this.#to[edge] ?? 0;
      } else {
        edgeTo[slot] = this.#to[edge] ?? 0;
        edgeByte[slot] = byte;
      }
    }
    const accepting = new Uint8Array(this.#nodeCount);
    for (const node of this.#accepting) accepting[node] = 1;
    const graph = { nodeCount: this.#nodeCount, startIndex, startTo, edgeIndex, edgeByte, edgeTo, accepting };
    return { ...graph, ...triplesOf(graph) };
  }
}

/** 18 bits of three bytes. */
export function tripleHash(first: number, second: number, third: number): number {
  return (first << 10) ^ (second << 5) ^ third;
}

type Graph = Omit<Automaton, 'startTriples' | 'nearTriples'>;

/** Marks what may follow when the byte `first` leads to `node`. Where a match ends anything may. */
function markFrom({ edgeIndex, edgeByte, edgeTo, accepting }: Graph, first: number, node: number, triples: Uint8Array) {
  const ended = accepting[node] === 1;
  const endEdge = ended ? 256 : (edgeIndex[node + 1] ?? 0);
  for (let edge = ended ? 0 : (edgeIndex[node] ?? 0); edge < endEdge; edge += 1) {
    const second = ended ? edge : (edgeByte[edge] ?? 0);
    const next = edgeTo[edge] ?? 0;
    const over = ended || accepting[next] === 1;
    const endNext = over ? 256 : (edgeIndex[next + 1] ?? 0);
    for (let after = over ? 0 : (edgeIndex[next] ?? 0); after < endNext; after += 1) {
      triples[tripleHash(first, second, over ? after : (edgeByte[after] ?? 0))] = 1;
    }
  }
}

function triplesOf(graph: Graph): Pick<Automaton, 'startTriples' | 'nearTriples'> {
  const { startIndex, startTo, edgeIndex, edgeByte, edgeTo, accepting } = graph;
  const startTriples = new Uint8Array(1 << 18);
  for (let first = 0; first < 256; first += 1) {
    const endSlot = startIndex[first + 1] ?? 0;
    for (let slot = startIndex[first] ?? 0; slot < endSlot; slot += 1) {
      markFrom(graph, first, startTo[slot] ?? 0, startTriples);
    }
  }
  const nearTriples = startTriples.slice();
  for (const node of new Set(startTo)) {
    if (accepting[node] === 1) nearTriples.fill(1);
    const endEdge = edgeIndex[node + 1] ?? 0;
    for (let edge = edgeIndex[node] ?? 0; edge < endEdge; edge += 1) {
      markFrom(graph, edgeByte[edge] ?? 0, edgeTo[edge] ?? 0, nearTriples);
    }
  }
  return { startTriples, nearTriples };
}

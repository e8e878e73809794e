/** Nodes that are equally far into a piece. */
export type Place = readonly number[];

/** What to read one after the other: any one byte of each step. */
export type Steps = readonly (readonly number[])[];

/**
 * A graph over bytes without cycles, frozen into typed arrays. Each way through it reads one piece of a secret in one of
 * its spellings. Node 0 is none.
 */
export type Decoder = Readonly<{
  nodeCount: number;
  /** Edges of node n: `edgeIndex[n] .. edgeIndex[n + 1])`. */
  edgeIndex: Int32Array;
  edgeByte: Uint8Array;
  edgeTo: Int32Array;
  /** At which of the exits of its entry a node is; -1 for those inside. */
  exit: Int32Array;
}>;

export class DecoderBuilder {
  readonly #from: number[] = [];
  readonly #byte: number[] = [];
  readonly #to: number[] = [];
  readonly #exits: number[] = [-1];

  // Nodes that only pieces with the same beginning pass, by how they are reached: many pieces, one way in.
  readonly #shared = new Map<string, number>();
  readonly #isShared = new Set<number>();

  node(exit = -1): number {
    this.#exits.push(exit);
    return this.#exits.length - 1;
  }

  /** Where reading begins. */
  entry(): number {
    const node = this.node();
    this.#isShared.add(node);
    return node;
  }

  /**
   * The node one step (any one of `bytes`) further. Never lead another edge to it: it is shared with all pieces of the
   * same entry that took the same way.
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

  freeze(): Decoder {
    const nodeCount = this.#exits.length;
    const edgeIndex = new Int32Array(nodeCount + 1);
    for (const from of this.#from) edgeIndex[from + 1] = (edgeIndex[from + 1] ?? 0) + 1;
    for (let node = 1; node <= nodeCount; node += 1) {
      edgeIndex[node] = (edgeIndex[node] ?? 0) + (edgeIndex[node - 1] ?? 0);
    }
    const edgeByte = new Uint8Array(this.#from.length);
    const edgeTo = new Int32Array(this.#from.length);
    const free = edgeIndex.slice();
    for (const [edge, from] of this.#from.entries()) {
      const slot = free[from] ?? 0;
      free[from] = slot + 1;
      edgeByte[slot] = this.#byte[edge] ?? 0;
      edgeTo[slot] = this.#to[edge] ?? 0;
    }
    return { nodeCount, edgeIndex, edgeByte, edgeTo, exit: Int32Array.from(this.#exits) };
  }
}

/** One request that waits for its turn. */
export type Waiting = Readonly<{ requestId: string; agentId: string; memoryMb: number }>;

/** First in, first out per agent; agents take turns, so that a busy one does not hold the others up. */
export class FairQueue {
  /** Insertion order is the order of turns: an agent that was served goes to the end. */
  readonly #byAgent = new Map<string, Waiting[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  sizeOf(agentId: string): number {
    return this.#byAgent.get(agentId)?.length ?? 0;
  }

  ids(): readonly string[] {
    return [...this.#byAgent.values()].flat().map(({ requestId }) => requestId);
  }

  has(requestId: string): boolean {
    return [...this.#byAgent.values()].some((waiting) => waiting.some((entry) => entry.requestId === requestId));
  }

  push(entry: Waiting): void {
    const waiting = this.#byAgent.get(entry.agentId);
    if (waiting === undefined) this.#byAgent.set(entry.agentId, [entry]);
    else waiting.push(entry);
    this.#size += 1;
  }

  /** Takes the head of the first agent whose head is allowed now; null if there is none. */
  take(allowed: (head: Waiting) => boolean): Waiting | null {
    for (const [agentId, waiting] of this.#byAgent) {
      const head = waiting[0];
      if (head === undefined || !allowed(head)) continue;
      waiting.shift();
      this.#size -= 1;
      this.#byAgent.delete(agentId);
      if (waiting.length > 0) this.#byAgent.set(agentId, waiting);
      return head;
    }
    return null;
  }

  remove(requestId: string): boolean {
    for (const [agentId, waiting] of this.#byAgent) {
      const index = waiting.findIndex((entry) => entry.requestId === requestId);
      if (index === -1) continue;
      waiting.splice(index, 1);
      this.#size -= 1;
      if (waiting.length === 0) this.#byAgent.delete(agentId);
      return true;
    }
    return false;
  }

  clear(): void {
    this.#byAgent.clear();
    this.#size = 0;
  }
}

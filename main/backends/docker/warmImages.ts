import type { Runtime } from '../../../contract/runtime.ts';
import type { Log } from '../../core/log.ts';
import { type Warming, WarmPool } from '../warmPool.ts';

type Held<Sandbox> = Readonly<{ imageId: string; pool: WarmPool<Sandbox>; first: Promise<void> }>;

/** A warm pool for each runtime, of the image that the runtime has now. */
export class WarmImages<Sandbox> {
  readonly #begin: (imageId: string) => Warming<Sandbox>;
  readonly #log: Log;
  readonly #onChange: () => void;
  readonly #held = new Map<Runtime, Held<Sandbox>>();
  readonly #leaving = new Set<Promise<void>>();

  /** `onChange` is called when a `problem` changed. */
  constructor(begin: (imageId: string) => Warming<Sandbox>, log: Log, onChange: () => void) {
    this.#begin = begin;
    this.#log = log;
    this.#onChange = onChange;
  }

  /** From now on `size` (1 or more) of this image are held ready; null: none. What is of another image ends. */
  hold(runtime: Runtime, imageId: string | null, size: number): void {
    const held = this.#held.get(runtime);
    if (held !== undefined && held.imageId === imageId) {
      held.pool.resize(size);
      return;
    }
    if (held !== undefined) this.#drop(runtime, held.pool);
    if (imageId === null) return;
    const pool = new WarmPool(() => this.#begin(imageId), size, this.#log, this.#onChange);
    this.#held.set(runtime, { imageId, pool, first: pool.start() });
  }

  /** Why none can be made ready, or null: they can, or none is held. */
  problem(runtime: Runtime): string | null {
    return this.#held.get(runtime)?.pool.problem ?? null;
  }

  /** One of this image that is ready or nearly so, now the caller's to end; null: none is held. */
  take(runtime: Runtime, imageId: string): Promise<Sandbox> | null {
    const held = this.#held.get(runtime);
    return held?.imageId === imageId ? held.pool.takeWarm() : null;
  }

  refill(): void {
    for (const { pool } of this.#held.values()) pool.refill();
  }

  /** Resolves when the first of any runtime is ready or could not be made so; at once when none is held. */
  async first(): Promise<void> {
    const firsts = [...this.#held.values()].map(({ first }) => first);
    if (firsts.length > 0) await Promise.race(firsts);
  }

  /** Ends all of them. Resolves when they are gone. */
  async stop(): Promise<void> {
    for (const [runtime, { pool }] of [...this.#held]) this.#drop(runtime, pool);
    await Promise.all(this.#leaving);
  }

  #drop(runtime: Runtime, pool: WarmPool<Sandbox>): void {
    this.#held.delete(runtime);
    const leaving = pool.stop().finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }
}

import { z } from 'zod';
import type { Log } from '../../core/log.ts';
import { Container } from './container.ts';
import { containerLabels } from './containerSpec.ts';
import type { Engine } from './engine.ts';
import type { EngineApi } from './engineApi.ts';

const listed = z.array(z.looseObject({ Id: z.string(), Labels: z.record(z.string(), z.string()).nullish() }));

const sweepEveryMs = 60_000;
const removedAtOnce = 4;

/**
 * Removes containers of this data folder that nobody looks after: what a crash left behind at the next start, and what
 * could not be removed a minute later. Goes by the label with the exact install id, never by name, and touches no others.
 */
export class Reaper {
  readonly #engine: Engine;
  readonly #installId: string;
  readonly #log: Log;
  #timer: NodeJS.Timeout | null = null;
  #unsubscribe: () => void = () => {};
  #sweeping: Promise<number> | null = null;

  constructor(options: Readonly<{ engine: Engine; installId: string; log: Log }>) {
    this.#engine = options.engine;
    this.#installId = options.installId;
    this.#log = options.log;
  }

  /** Sweeps now, each minute, and whenever the engine comes back. Resolves when the first sweep is over. */
  async start(): Promise<void> {
    this.#unsubscribe = this.#engine.onChange(() => void this.sweep());
    this.#timer = setInterval(() => void this.sweep(), sweepEveryMs);
    this.#timer.unref();
    await this.sweep();
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#sweeping;
  }

  /** Resolves with how many were removed; 0 when no engine answers. Never rejects. */
  sweep(): Promise<number> {
    this.#sweeping ??= this.#sweep()
      .catch((error: unknown) => {
        this.#log.warn({ reason: error instanceof Error ? error.message : 'unknown' }, 'a sweep of sandboxes failed');
        return 0;
      })
      .finally(() => {
        this.#sweeping = null;
      });
    return this.#sweeping;
  }

  async #sweep(): Promise<number> {
    const { api, state, live } = this.#engine;
    if (api === null || !state.available) return 0;
    const filters = JSON.stringify({ label: [`${containerLabels.install}=${this.#installId}`] });
    const containers = await api.json(
      { method: 'GET', path: '/containers/json', query: { all: '1', filters } },
      listed,
    );
    const stray = containers.filter(
      ({ Labels }) =>
        // An engine that ignores the filter must not cost others their containers.
        Labels?.[containerLabels.install] === this.#installId && !live.has(Labels[containerLabels.sandbox] ?? ''),
    );
    const removed = await this.#remove(
      api,
      stray.map(({ Id }) => Id),
    );
    if (removed > 0) this.#log.warn({ removed }, 'sandbox containers that an earlier end left behind were removed');
    return removed;
  }

  async #remove(api: EngineApi, ids: readonly string[]): Promise<number> {
    let removed = 0;
    const waiting = [...ids];
    const worker = async (): Promise<void> => {
      for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
        try {
          await Container.withId(api, id).remove();
          removed += 1;
        } catch (error) {
          this.#log.warn({ reason: error instanceof Error ? error.message : 'unknown' }, 'a container stays behind');
        }
      }
    };
    await Promise.all(Array.from({ length: removedAtOnce }, worker));
    return removed;
  }
}

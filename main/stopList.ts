import type { Log } from './core/log.ts';

type Step = Readonly<{ name: string; stop: () => void | Promise<void>; atMostMs: number }>;

const defaultMs = 5_000;

/** What was started and how it ends: in reverse order, each step bounded in time, none skipped because another failed. */
export class StopList {
  readonly #log: Log;
  readonly #steps: Step[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  add(name: string, stop: () => void | Promise<void>, atMostMs: number = defaultMs): void {
    this.#steps.push({ name, stop, atMostMs });
  }

  /** Never rejects. */
  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) await this.#end(step);
  }

  async #end({ name, stop, atMostMs }: Step): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), atMostMs);
    });
    try {
      const ended = (async () => stop())();
      // Whatever it comes to after we stopped waiting, it must not become an unhandled rejection.
      ended.catch(() => {});
      if ((await Promise.race([ended, patience])) === 'late') this.#log.warn({ step: name }, 'Did not stop in time');
    } catch (error) {
      this.#log.error(
        { step: name, error: error instanceof Error ? error.message : String(error) },
        'Did not stop well',
      );
    } finally {
      clearTimeout(timer);
    }
  }
}

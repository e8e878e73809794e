import { z } from 'zod';
import type { Records } from '../core/records.ts';

/** After a week of silence Telegram starts update ids anew at random (Bot API, "Update"); we stop comparing before that. */
const ID_MEMORY_MS = 6 * 24 * 3600 * 1000;

const storedSchema = z.strictObject({ id: z.number().int(), at: z.number().int() });

/**
 * Remembers, over restarts, which updates were taken. An update is noted before it is acted on: after a crash a tap is
 * lost rather than taken twice (ATTACKS 203).
 */
export class UpdateLog {
  readonly #records: Pick<Records, 'state' | 'setState'>;
  readonly #key: string;
  readonly #clock: Readonly<{ wallMs(): number }>;

  constructor(records: Pick<Records, 'state' | 'setState'>, botId: number, clock: Readonly<{ wallMs(): number }>) {
    this.#records = records;
    this.#key = `telegram.updates.${botId}`;
    this.#clock = clock;
  }

  /** Offset for getUpdates: the first update that was not taken yet; undefined when that is not known. */
  offset(): number | undefined {
    const last = this.#last();
    return last === null ? undefined : last + 1;
  }

  /** False when it was taken before. */
  take(updateId: number): boolean {
    const last = this.#last();
    if (last !== null && updateId <= last) return false;
    this.#records.setState(this.#key, JSON.stringify({ id: updateId, at: this.#clock.wallMs() }));
    return true;
  }

  #last(): number | null {
    const text = this.#records.state(this.#key);
    if (text === null) return null;
    const stored = storedSchema.parse(JSON.parse(text));
    return Math.abs(this.#clock.wallMs() - stored.at) > ID_MEMORY_MS ? null : stored.id;
  }
}

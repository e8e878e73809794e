import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Records, WakeItem } from '../core/records.ts';
import { type Delivery, type HookConfig, postWake } from './hook.ts';

export type WakePorts = Readonly<{
  records: Pick<Records, 'dueWakes' | 'nextWakeAt' | 'wakeDelivered' | 'wakeFailed' | 'wakeDropped' | 'request'>;
  clock: Clock;
  log: Log;
  /** Null: nothing is configured, agents poll. */
  hook: HookConfig | null;
  /** First wait after a failed delivery, doubled each time; default 5 s. */
  firstRetryMs?: number;
}>;

const REMIND_AFTER_MS = 120_000;
const MAX_RETRY_MS = 15 * 60_000;
/** With the waits above: about three hours. */
const MAX_ATTEMPTS = 18;
const BATCH = 20;
/** Longest sleep: the outbox is looked at again even if nobody calls `kick`, for clocks that jump. */
const MAX_SLEEP_MS = 60_000;
const MIN_SLEEP_MS = 100;

/**
 * Empties the wake outbox. A wake is a hint that may be lost or doubled; the agent's long-poll is the truth. Retried
 * only when delivery failed, reminded once when the result was not fetched.
 */
export class WakeWorker {
  readonly #ports: WakePorts;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | null = null;
  #again = false;
  /** The store failed: do not ask it again and again. */
  #broken = false;

  constructor(ports: WakePorts) {
    this.#ports = ports;
  }

  /** Also delivers what a former process left in the outbox. */
  start(): void {
    this.kick();
  }

  /** Something may be due: a request became final. */
  kick(): void {
    if (this.#stop.signal.aborted) return;
    this.#again = true;
    this.#working ??= this.#work().finally(() => {
      this.#working = null;
      if (this.#again) this.kick();
      else this.#sleep();
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#working;
  }

  /** For `oauth3 wake test`: sends a text now, without the outbox. */
  async test(): Promise<Readonly<{ ok: boolean; detail: string }>> {
    const { hook } = this.#ports;
    if (hook === null) {
      return { ok: false, detail: 'no wake is configured: set OPENCLAW_HOOK_URL and OPENCLAW_HOOK_TOKEN' };
    }
    const { ok, detail } = await postWake(hook, 'OAuth3 wake test: nothing to do.', this.#stop.signal);
    return { ok, detail };
  }

  async #work(): Promise<void> {
    while (this.#again && !this.#stop.signal.aborted) {
      this.#again = false;
      try {
        const due = this.#ports.records.dueWakes(this.#ports.clock.wallMs(), BATCH);
        for (const item of due) await this.#deliver(item);
        if (due.length === BATCH) this.#again = true;
        this.#broken = false;
      } catch (error) {
        this.#broken = true;
        this.#ports.log.error({ error: error instanceof Error ? error.message : 'unknown' }, 'the wake outbox failed');
      }
    }
  }

  async #deliver(item: WakeItem): Promise<void> {
    const { records, clock, hook, log } = this.#ports;
    const request = records.request(item.requestId);
    const fetched = request !== null && request.resultFetchedAt !== null;
    // A first hint always goes out; a repetition only makes sense while the agent does not know.
    if (hook === null || (fetched && (item.kind === 'reminder' || item.attempts > 0))) {
      records.wakeDropped(item.id);
      return;
    }
    const delivery = await postWake(hook, item.text, this.#stop.signal);
    if (this.#stop.signal.aborted && !delivery.ok) return;
    const now = clock.wallMs();
    if (delivery.ok) {
      const reminder = item.kind === 'final' ? { at: now + REMIND_AFTER_MS, text: `Reminder: ${item.text}` } : null;
      records.wakeDelivered(item.id, now, reminder);
      return;
    }
    const retryInMs = this.#retryInMs(item, delivery);
    log.warn({ requestId: item.requestId, attempt: item.attempts + 1, detail: delivery.detail }, 'a wake failed');
    records.wakeFailed(item.id, retryInMs === null ? null : now + retryInMs, now);
  }

  /** Null: give up. */
  #retryInMs(item: WakeItem, delivery: Extract<Delivery, { ok: false }>): number | null {
    if (item.attempts + 1 >= MAX_ATTEMPTS) return null;
    const backoff = Math.min(MAX_RETRY_MS, (this.#ports.firstRetryMs ?? 5000) * 2 ** item.attempts);
    return Math.max(backoff, delivery.retryAfterMs ?? 0);
  }

  #sleep(): void {
    clearTimeout(this.#timer);
    const ms = this.#stop.signal.aborted ? null : this.#sleepMs();
    if (ms === null) return;
    this.#timer = setTimeout(() => this.kick(), ms);
    this.#timer.unref();
  }

  /** Null: nothing waits. */
  #sleepMs(): number | null {
    if (this.#broken) return MAX_SLEEP_MS;
    try {
      const next = this.#ports.records.nextWakeAt();
      if (next === null) return null;
      return Math.min(MAX_SLEEP_MS, Math.max(MIN_SLEEP_MS, next - this.#ports.clock.wallMs()));
    } catch {
      return MAX_SLEEP_MS;
    }
  }
}

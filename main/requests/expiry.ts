import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Records, RequestRecord } from '../core/records.ts';
import type { RequestEvents } from '../core/runPorts.ts';
import { wakeText } from '../core/wakeText.ts';
import type { ClockGuard } from './clockGuard.ts';

export type ExpiryDeps = Readonly<{
  records: Pick<Records, 'expireRequests' | 'pendingRequests'>;
  events: RequestEvents;
  clock: Clock;
  clockGuard: Pick<ClockGuard, 'save'>;
  /** Other things that end by the clock, called with UTC ms. */
  alsoExpire: (nowMs: number) => void;
  log: Log;
}>;

// The wall clock may jump at any time, and no event tells; so it is looked at this often.
const maxTickMs = 15_000;

type Deadline = Readonly<{ expiresAtMs: number; monotonicMs: number }>;

/** Ends what was not answered in time: by the wall clock or by elapsed time, whichever comes first. One timer. */
export class RequestExpiry {
  readonly #deps: ExpiryDeps;
  readonly #deadlines = new Map<string, Deadline>();
  readonly #stopListening: () => void;
  #timer: NodeJS.Timeout | null = null;
  #timerAtMs = 0;
  #stopped = false;

  constructor(deps: ExpiryDeps) {
    this.#deps = deps;
    this.#stopListening = deps.events.onChanged((request) => this.#follow(request));
  }

  /** Takes over what waits from before a restart. */
  start(): void {
    for (const request of this.#deps.records.pendingRequests()) this.#follow(request);
    this.sweep();
  }

  /** Ends everything that is due now. Called by the timer, before each decision, and when the machine wakes up. */
  sweep(): void {
    const { records, events, clock, clockGuard, log } = this.#deps;
    const [wallMs, monotonicMs] = [clock.wallMs(), clock.monotonicMs()];
    // If the wall clock was put back, elapsed time decides. Newer requests may then end early, never late.
    let untilMs = wallMs;
    for (const deadline of this.#deadlines.values()) {
      if (deadline.monotonicMs <= monotonicMs) untilMs = Math.max(untilMs, deadline.expiresAtMs);
    }
    try {
      const expired = records.expireRequests(untilMs, (request) => wakeText(request, 'expired'));
      for (const request of expired) events.emitChanged(request);
      this.#deps.alsoExpire(wallMs);
      clockGuard.save();
    } catch (error) {
      log.error({ error: String(error) }, 'expiry could not be written; it is tried again');
    }
    this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#stopListening();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #follow(request: RequestRecord): void {
    if (request.status !== 'pending') {
      this.#deadlines.delete(request.id);
      return;
    }
    const { clock } = this.#deps;
    // A clock that went back must not lengthen the wait beyond what was promised at the beginning.
    const waitMs = Math.min(request.expiresAt - clock.wallMs(), request.expiresAt - request.createdAt);
    const monotonicMs = clock.monotonicMs() + waitMs;
    this.#deadlines.set(request.id, { expiresAtMs: request.expiresAt, monotonicMs });
    if (this.#timer !== null && monotonicMs < this.#timerAtMs) this.#arm();
  }

  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#stopped) return;
    const nowMs = this.#deps.clock.monotonicMs();
    let nextMs = nowMs + maxTickMs;
    for (const deadline of this.#deadlines.values()) nextMs = Math.min(nextMs, deadline.monotonicMs);
    this.#timerAtMs = Math.max(nextMs, nowMs + 1);
    this.#timer = setTimeout(() => this.sweep(), this.#timerAtMs - nowMs);
  }
}

import type { Log } from '../core/log.ts';
import { forgetIndex, indexStateRow, writeIndex } from './auditIndexRows.ts';
import type { RelaxedWriter } from './relaxed.ts';
import { intValue } from './rowParser.ts';
import { auditRow } from './rows.ts';

/** Events of one transaction: some 10 ms of work. */
const sliceEvents = 250;
/** Quiet time after the newest event before the index follows: what agents wait for goes first. */
const quietMs = 2_000;
/** So far behind, a piece is done in spite of the traffic. */
const behindAtMost = 5_000;

/**
 * Follows the audit log and writes down by what each event is found. It is always a little behind; who searches first
 * lets it catch up. It is no part of the chain: a row that it does not name is in the log all the same.
 */
export class AuditIndex {
  readonly #relaxed: RelaxedWriter;
  readonly #log: Log;
  #timer: NodeJS.Timeout | null = null;
  #unseen = 0;
  #closed = false;

  constructor(relaxed: RelaxedWriter, log: Log) {
    this.#relaxed = relaxed;
    this.#log = log;
  }

  /** Follows on from where an earlier process was, when the start is over. */
  begin(): void {
    this.#later(quietMs);
  }

  /** An event was written; costs nothing now. */
  noted(): void {
    this.#unseen += 1;
    if (this.#unseen % behindAtMost === 0) this.#later(0);
    else if (this.#timer === null) this.#later(quietMs);
    else this.#timer.refresh();
  }

  /** One piece of what is missing; true when there is more. CodedError `storage_unavailable`. */
  step(): boolean {
    return this.#relaxed.now((quick) => {
      const state = indexStateRow(quick.get('SELECT seq, newest_at, setback FROM audit_index'));
      const newest = intValue(quick.get('SELECT coalesce(max(seq), 0) AS value FROM audit_events'));
      if (newest < state.seq) {
        forgetIndex(quick);
        return true;
      }
      const events = quick
        .all('SELECT * FROM audit_events WHERE seq > ? ORDER BY seq LIMIT ?', [state.seq, sliceEvents])
        .map((found) => auditRow(found).event);
      if (events.length > 0) writeIndex(quick, events, state);
      this.#unseen = 0;
      return events.length === sliceEvents;
    });
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #later(afterMs: number): void {
    if (this.#closed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#follow(), afterMs);
    this.#timer.unref();
  }

  #follow(): void {
    this.#timer = null;
    try {
      if (this.step()) this.#later(10);
    } catch (error) {
      this.#log.warn({ reason: String(error) }, 'The audit log could not be indexed');
      this.#later(60_000);
    }
  }
}

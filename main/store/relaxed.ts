import type { Log } from '../core/log.ts';
import { type Sqlite, StorageFault } from './sqlite.ts';

const flushAfterMs = 1_000;
const flushAtCount = 500;
const keepAtMost = 5_000;

/**
 * Writes that a power cut may take back: traffic rows, "last seen", where a card stands. They go through a second
 * connection that does not wait for the disk. `later` gathers small ones into one transaction.
 */
export class RelaxedWriter {
  readonly #db: Sqlite;
  readonly #log: Log;
  readonly #main: Sqlite;
  #waiting: (() => void)[] = [];
  #timer: NodeJS.Timeout | null = null;

  /** `main` is the connection that waits for the disk: while it is inside a transaction it holds the write lock. */
  constructor(db: Sqlite, main: Sqlite, log: Log) {
    this.#db = db;
    this.#main = main;
    this.#log = log;
  }

  /** Writes `work` and all that waits, in one transaction. CodedError `storage_unavailable`. */
  now<Result>(work: (db: Sqlite) => Result): Result {
    if (this.#main.inTransaction) {
      throw new Error('A relaxed write inside a transaction would wait for itself.');
    }
    const waiting = this.#waiting;
    const result = this.#db.write(() => {
      for (const write of waiting) {
        write();
      }
      return work(this.#db);
    });
    this.#waiting = [];
    this.#stopTimer();
    return result;
  }

  /** Writes within a second, or never when the disk is full for long. Does not throw. */
  later(work: (db: Sqlite) => void): void {
    this.#waiting.push(() => work(this.#db));
    if (this.#waiting.length % flushAtCount === 0) {
      this.flush();
    } else if (this.#timer === null) {
      this.#timer = setTimeout(() => this.flush(), flushAfterMs);
      this.#timer.unref();
    }
  }

  /** Makes what waits visible to readers; a full disk leaves it waiting. */
  flush(): void {
    if (this.#waiting.length === 0 || this.#main.inTransaction) {
      return;
    }
    this.#stopTimer();
    try {
      this.now(() => {});
    } catch (error) {
      const storage = error instanceof StorageFault;
      this.#log.warn({ waiting: this.#waiting.length, reason: String(error) }, 'Small notes could not be written');
      // A fault of the storage passes; a statement that is wrong never will.
      this.#waiting = storage ? this.#waiting.slice(-keepAtMost) : [];
    }
  }

  close(): void {
    this.flush();
    this.#stopTimer();
    this.#db.close();
  }

  #stopTimer(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
  }
}

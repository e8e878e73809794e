import Database from 'better-sqlite3';
import { CodedError } from '../../contract/errors.ts';

export type SqlValue = string | number | bigint | null | Uint8Array;
export type SqlParams = readonly SqlValue[] | Readonly<Record<string, SqlValue>>;

export type SqliteOptions = Readonly<{
  /** Path of better-sqlite3's binary, where its own prebuild does not fit the runtime. */
  nativeBinding?: string | undefined;
  /** How long to wait for another connection's lock. */
  busyTimeoutMs: number;
  /** FULL survives a power cut with every commit; NORMAL may lose the newest ones, never the order. */
  synchronous: 'FULL' | 'NORMAL';
}>;

// What the disk or the file did to us, as opposed to a statement of ours that is wrong.
const storageCode = /^SQLITE_(FULL|IOERR|READONLY|BUSY|CANTOPEN|CORRUPT|NOTADB|PERM|NOMEM)(_|$)/;

/** CodedError `storage_unavailable` with SQLite's own code, for the few places that tell one fault from another. */
export class StorageFault extends CodedError {
  readonly sqliteCode: string;

  constructor(sqliteCode: string, options?: ErrorOptions) {
    super('storage_unavailable', `The database cannot be used now (${sqliteCode}).`, {
      hint: 'Check the free space and the rights of the data folder, then try again.',
    });
    this.name = 'StorageFault';
    this.sqliteCode = sqliteCode;
    this.cause = options?.cause;
  }
}

export function isUniqueViolation(error: unknown): boolean {
  return (
    error instanceof Database.SqliteError &&
    (error.code === 'SQLITE_CONSTRAINT_UNIQUE' || error.code === 'SQLITE_CONSTRAINT_PRIMARYKEY')
  );
}

/**
 * One connection: cached statements, immediate transactions, and what the storage does to us as StorageFault. Rows
 * come out as `unknown`; the row schemas give them their types.
 */
export class Sqlite {
  readonly #db: Database.Database;
  readonly #statements = new Map<string, Database.Statement<SqlParams[]>>();
  #fault: string | null = null;
  #commits = 0;

  /** Opens the file or makes it. */
  constructor(path: string, options: SqliteOptions) {
    const { nativeBinding, busyTimeoutMs: timeout, synchronous } = options;
    this.#db = this.#guard(
      () => new Database(path, { timeout, ...(nativeBinding === undefined ? {} : { nativeBinding }) }),
    );
    try {
      this.pragma(`synchronous = ${synchronous}`);
      this.pragma('foreign_keys = ON');
      this.pragma('secure_delete = ON');
      this.pragma('trusted_schema = OFF');
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  get inTransaction(): boolean {
    return this.#db.inTransaction;
  }

  /** SQLite's code of the last fault; null once a commit worked again. */
  get fault(): string | null {
    return this.#fault;
  }

  get commits(): number {
    return this.#commits;
  }

  exec(sql: string): void {
    this.#guard(() => this.#db.exec(sql));
  }

  /** Runs a PRAGMA and returns its first value. */
  pragma(text: string): unknown {
    return this.#guard(() => this.#db.pragma(text, { simple: true }));
  }

  get(sql: string, params: SqlParams = []): unknown {
    return this.#guard(() => this.#statement(sql).get(params));
  }

  all(sql: string, params: SqlParams = []): readonly unknown[] {
    return this.#guard(() => this.#statement(sql).all(params));
  }

  /** Number of rows changed. */
  run(sql: string, params: SqlParams = []): number {
    return this.#guard(() => this.#statement(sql).run(params).changes);
  }

  /** Runs `work` in one immediate transaction; inside another one it is part of that. Any throw rolls back. */
  write<Result>(work: () => Result): Result {
    if (this.#db.inTransaction) {
      return work();
    }
    try {
      this.run('BEGIN IMMEDIATE');
      const result = work();
      this.run('COMMIT');
      this.#fault = null;
      this.#commits += 1;
      return result;
    } catch (error) {
      // A full disk may have rolled back by itself.
      if (this.#db.inTransaction) {
        this.run('ROLLBACK');
      }
      throw error;
    }
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #statement(sql: string): Database.Statement<SqlParams[]> {
    const cached = this.#statements.get(sql);
    if (cached !== undefined) {
      return cached;
    }
    const statement = this.#db.prepare<SqlParams[]>(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #guard<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      if (error instanceof Database.SqliteError && storageCode.test(error.code)) {
        this.#fault = error.code;
        throw new StorageFault(error.code, { cause: error });
      }
      throw error;
    }
  }
}

import { statSync } from 'node:fs';
import { dataFiles } from '../../contract/dataDir.ts';
import { prepareFile } from './dataFolder.ts';
import { DatabaseCorruptError, DataFolderUnusableError } from './errors.ts';
import { migrate, refuseNewer } from './migrate.ts';
import type { Migration } from './migrations/migration.ts';
import { textValue } from './rowParser.ts';
import { Sqlite, StorageFault } from './sqlite.ts';

const busyTimeoutMs = 5_000;
const checkWholeFileUpTo = 16 * 1024 * 1024;
/** What a decision or a secret hangs on: small, and checked however large the traffic beside it has grown. */
const checkedTables = ['agents', 'secrets', 'bindings', 'approvals', 'vault_slots', 'settings'];

export type OpenDatabaseOptions = Readonly<{
  dataDir: string;
  nativeBinding: string | undefined;
  migrations: readonly Migration[];
  nowMs: number;
}>;

/**
 * Opens the file with both connections, checks it and takes it to the newest schema. A file that is damaged or newer
 * is left byte for byte as it is.
 */
export function openDatabase(options: OpenDatabaseOptions): Readonly<{ db: Sqlite; quick: Sqlite }> {
  const path = prepareFile(options.dataDir, dataFiles.database, { create: true });
  for (const suffix of ['-wal', '-shm', '-journal']) {
    prepareFile(options.dataDir, `${dataFiles.database}${suffix}`, { create: false });
  }
  refuseEmptied(path);
  const open: Sqlite[] = [];
  const connect = (synchronous: 'FULL' | 'NORMAL') => {
    const connection = new Sqlite(path, { nativeBinding: options.nativeBinding, busyTimeoutMs, synchronous });
    open.push(connection);
    return connection;
  };
  try {
    const db = connect('FULL');
    refuseNewer(db, options.migrations, path);
    refuseDamaged(db, path);
    db.pragma('journal_mode = WAL');
    if (process.platform === 'darwin') {
      // On macOS fsync alone leaves the data in the drive's cache.
      db.pragma('fullfsync = ON');
      db.pragma('checkpoint_fullfsync = ON');
    }
    migrate(db, options.migrations, options.nowMs);
    return { db, quick: connect('NORMAL') };
  } catch (error) {
    for (const connection of open) {
      connection.close();
    }
    throw openError(path, error);
  }
}

/** SQLite takes an empty file for a new database and throws its write-ahead log away. */
function refuseEmptied(path: string): void {
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  if (statSync(path).size === 0 && log !== undefined && log.size > 0) {
    throw new DatabaseCorruptError(path, 'the file is empty while its write-ahead log is not');
  }
}

function refuseDamaged(db: Sqlite, path: string): void {
  const whole = statSync(path).size <= checkWholeFileUpTo;
  const tables = db.all("SELECT name AS value FROM sqlite_schema WHERE type = 'table'").map(textValue);
  const checks = whole
    ? ['quick_check(1)']
    : checkedTables.filter((name) => tables.includes(name)).map((name) => `quick_check(${name})`);
  for (const check of checks) {
    const verdict = db.pragma(check);
    if (verdict !== 'ok') {
      throw new DatabaseCorruptError(path, String(verdict));
    }
  }
}

function openError(path: string, error: unknown): unknown {
  if (!(error instanceof StorageFault)) {
    return error;
  }
  const { sqliteCode } = error;
  return sqliteCode.startsWith('SQLITE_CORRUPT') || sqliteCode === 'SQLITE_NOTADB'
    ? new DatabaseCorruptError(path, sqliteCode, { cause: error })
    : new DataFolderUnusableError(path, { cause: error });
}

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isoTime } from '../core/times.ts';
import { prepareFile } from './dataFolder.ts';
import { DataFolderInUseError, DataFolderUnusableError } from './errors.ts';
import { Sqlite, StorageFault } from './sqlite.ts';

const lockName = 'broker.lock';
const holderName = 'broker.pid';
const holderSchema = z.object({ pid: z.number().int(), started_at: z.string() });

export type FolderLock = Readonly<{ release(): void }>;

/**
 * One broker per folder. The lock is the one that SQLite takes on an empty file: the system lets go of it when the
 * process ends, however it ends, so a dead holder never has to be guessed from a process id that may live again.
 * `broker.pid` beside it only tells people who it is. DataFolderInUseError when somebody holds it.
 */
export function lockFolder(
  dataDir: string,
  options: Readonly<{ nativeBinding?: string | undefined; nowMs: number }>,
): FolderLock {
  const path = prepareFile(dataDir, lockName, { create: true });
  const holderPath = prepareFile(dataDir, holderName, { create: false });
  const lock = takeLock(path, () => new DataFolderInUseError(dataDir, readHolder(holderPath)), options.nativeBinding);
  try {
    writeHolder(dataDir, holderPath, options.nowMs);
  } catch (error) {
    lock.close();
    throw new DataFolderUnusableError(dataDir, { cause: error });
  }
  return {
    release() {
      rmSync(holderPath, { force: true });
      lock.close();
    },
  };
}

function takeLock(path: string, inUse: () => DataFolderInUseError, nativeBinding: string | undefined): Sqlite {
  let lock: Sqlite | null = null;
  try {
    lock = new Sqlite(path, { nativeBinding, busyTimeoutMs: 0, synchronous: 'NORMAL' });
    lock.pragma('journal_mode = MEMORY');
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    const busy = error instanceof StorageFault && error.sqliteCode.startsWith('SQLITE_BUSY');
    throw busy ? inUse() : new DataFolderUnusableError(path, { cause: error });
  }
}

function writeHolder(dataDir: string, holderPath: string, nowMs: number): void {
  const holder = { pid: process.pid, started_at: isoTime(nowMs) };
  const fresh = join(dataDir, `${holderName}.new`);
  rmSync(fresh, { force: true });
  writeFileSync(fresh, `${JSON.stringify(holder)}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(fresh, holderPath);
}

function readHolder(holderPath: string): number | null {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(holderPath, 'utf8'))).pid;
  } catch {
    return null;
  }
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrations } from './migrations/all.ts';
import { openDatabase } from './openDatabase.ts';
import { intValue } from './rowParser.ts';
import { Sqlite, StorageFault } from './sqlite.ts';

let folder: string;
let path: string;
const open: Sqlite[] = [];
const connect = (file = path, busyTimeoutMs = 50) => {
  const db = new Sqlite(file, { busyTimeoutMs, synchronous: 'FULL' });
  open.push(db);
  return db;
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oauth3-sqlite-'));
  path = join(folder, 'test.db');
});
afterEach(() => {
  for (const db of open.splice(0)) {
    db.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

const fault = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return error instanceof StorageFault && error.code === 'storage_unavailable' ? error.sqliteCode : String(error);
  }
  return 'none';
};

describe('a connection', () => {
  it('rolls back everything when the work throws, and gives the error on', () => {
    const db = connect();
    db.exec('CREATE TABLE t (n INTEGER)');
    const broken = () =>
      db.write(() => {
        db.run('INSERT INTO t VALUES (1)');
        db.write(() => db.run('INSERT INTO t VALUES (2)'));
        throw new Error('of the work');
      });
    expect(broken).toThrow('of the work');
    expect(intValue(db.get('SELECT count(*) AS value FROM t'))).toBe(0);
    db.write(() => db.run('INSERT INTO t VALUES (3)'));
    expect(intValue(db.get('SELECT n AS value FROM t'))).toBe(3);
  });

  it('names a full disk as a fault of the storage, and works again when there is room', () => {
    const db = connect();
    db.exec('CREATE TABLE t (b BLOB)');
    const insert = () => db.write(() => db.run('INSERT INTO t VALUES (zeroblob(65536))'));
    db.pragma('max_page_count = 4');
    expect(fault(insert)).toBe('SQLITE_FULL');
    expect(db.fault).toBe('SQLITE_FULL');
    db.pragma('max_page_count = 1000');
    insert();
    expect(db.fault).toBeNull();
    expect(intValue(db.get('SELECT count(*) AS value FROM t'))).toBe(1);
  });

  it('names a read-only file, a lock of another and a strange file the same way', () => {
    const db = connect();
    db.exec('CREATE TABLE t (n INTEGER)');
    db.pragma('query_only = ON');
    expect(fault(() => db.run('INSERT INTO t VALUES (1)'))).toBe('SQLITE_READONLY');
    const other = connect();
    other.exec('BEGIN EXCLUSIVE');
    expect(fault(() => connect())).toBe('SQLITE_BUSY');
    writeFileSync(join(folder, 'strange.db'), 'this is no database, however long it may go on being none at all');
    expect(fault(() => connect(join(folder, 'strange.db')).get('SELECT * FROM sqlite_schema'))).toBe('SQLITE_NOTADB');
    expect(fault(() => connect(join(folder, 'none', 'x.db')))).toContain('directory does not exist');
  });

  it('leaves a mistake of ours what it is', () => {
    const db = connect();
    expect(() => db.run('INSERT INTO missing VALUES (1)')).toThrow('no such table');
    expect(db.fault).toBeNull();
  });
});

describe('the connections of the store', () => {
  it('P261 wait for the disk where a decision hangs on it, erase what is deleted, and keep references whole', () => {
    const { db, quick } = openDatabase({ dataDir: folder, nativeBinding: undefined, migrations, nowMs: 0 });
    open.push(db, quick);
    expect(['journal_mode', 'synchronous', 'secure_delete', 'foreign_keys'].map((name) => db.pragma(name))).toEqual([
      'wal',
      2,
      1,
      1,
    ]);
    expect(['journal_mode', 'synchronous', 'secure_delete', 'foreign_keys'].map((name) => quick.pragma(name))).toEqual([
      'wal',
      1,
      1,
      1,
    ]);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../core/log.ts';
import { AuditLog } from './audit.ts';
import { AuditIndex } from './auditIndex.ts';
import { healthRecords } from './health.ts';
import { migrations } from './migrations/all.ts';
import { openDatabase } from './openDatabase.ts';
import { RelaxedWriter } from './relaxed.ts';
import { intValue } from './rowParser.ts';
import { Seal } from './seal.ts';
import type { Sqlite } from './sqlite.ts';

let folder: string;
let db: Sqlite;
let quick: Sqlite;
let relaxed: RelaxedWriter;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oauth3-relaxed-'));
  ({ db, quick } = openDatabase({ dataDir: folder, nativeBinding: undefined, migrations, nowMs: 0 }));
  relaxed = new RelaxedWriter(quick, db, silentLog);
});
afterEach(() => {
  vi.useRealTimers();
  relaxed.close();
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

const note = (key: string) => (to: Sqlite) => {
  to.run('INSERT INTO broker_state (key, value) VALUES (?, ?)', [key, 'x']);
};
const notes = () => intValue(db.get('SELECT count(*) AS value FROM broker_state'));
const full = () => quick.pragma('query_only = ON');
const roomAgain = () => quick.pragma('query_only = OFF');

describe('relaxed writes', () => {
  it('that may wait are written together within a second', () => {
    vi.useFakeTimers();
    relaxed.later(note('a'));
    relaxed.later(note('b'));
    expect(notes()).toBe(0);
    vi.advanceTimersByTime(1_000);
    expect(notes()).toBe(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are all there when a reader asks, when a write cannot wait, and at the end', () => {
    relaxed.later(note('a'));
    relaxed.flush();
    expect(notes()).toBe(1);
    relaxed.later(note('b'));
    relaxed.now(note('c'));
    expect(notes()).toBe(3);
  });

  it('wait for room on a full disk, and the one that cannot wait says so', () => {
    full();
    relaxed.later(note('a'));
    relaxed.flush();
    expect(() => relaxed.now(note('b'))).toThrow(expect.objectContaining({ code: 'storage_unavailable' }));
    roomAgain();
    relaxed.flush();
    expect(notes()).toBe(1);
  });

  it('that are wrong themselves do not keep the others from being written for ever', () => {
    relaxed.later((to) => {
      to.run('INSERT INTO missing VALUES (1)');
    });
    relaxed.flush();
    relaxed.later(note('a'));
    relaxed.flush();
    expect(notes()).toBe(1);
  });

  it('never wait for the transaction that they would be inside of', () => {
    relaxed.later(note('a'));
    db.write(() => {
      relaxed.flush();
      expect(() => relaxed.now(note('b'))).toThrow('would wait for itself');
    });
    relaxed.flush();
    expect(notes()).toBe(1);
  });
});

describe('the health of the database', () => {
  it('is asked of the disk again after a second, and after every fault', () => {
    let nowMs = 0;
    const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs };
    const seal = new Seal();
    const context = {
      db,
      relaxed,
      audit: new AuditLog(db, relaxed, seal, new AuditIndex(relaxed, silentLog)),
      seal,
      log: silentLog,
    };
    const { health } = healthRecords(context, clock);
    expect(health()).toBe('ok');
    const probes = db.commits;
    expect([health(), health(), db.commits]).toEqual(['ok', 'ok', probes]);
    db.pragma('query_only = ON');
    expect(health()).toBe('ok');
    nowMs += 1_001;
    expect(health()).toBe('error');
    db.pragma('query_only = OFF');
    expect(health()).toBe('ok');
    db.pragma('query_only = ON');
    expect(() => db.write(() => db.run('DELETE FROM broker_state'))).toThrow();
    expect(health()).toBe('error');
    db.pragma('query_only = OFF');
    expect(health()).toBe('ok');
  });
});

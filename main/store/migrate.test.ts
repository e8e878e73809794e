import { rmSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLog } from '../core/log.ts';
import { DatabaseTooNewError } from './errors.ts';
import { givenAgent, givenRequest, givenSecret, once, start, type TempStore, tempStore } from './fixtures.ts';
import { migrations } from './migrations/all.ts';
import type { Migration } from './migrations/migration.ts';
import { intValue } from './rowParser.ts';
import { Sqlite } from './sqlite.ts';
import { openStore } from './store.ts';

let temp: TempStore;
afterEach(() => temp.dispose());

const withFile = <Result>(look: (file: Sqlite) => Result): Result => {
  temp.current().close();
  const file = new Sqlite(`${temp.dataDir}/proxy.db`, { busyTimeoutMs: 500, synchronous: 'NORMAL' });
  try {
    return look(file);
  } finally {
    file.close();
  }
};
const version = (file: Sqlite) => intValue(file.get('SELECT user_version AS value FROM pragma_user_version'));
const schema = (file: Sqlite) => file.all('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name');

const next: Migration = {
  version: migrations.length + 1,
  name: 'next',
  sql: 'CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT; ALTER TABLE agents ADD COLUMN colour TEXT;',
};
const all = [...migrations, next];

describe('migrations', () => {
  it('are numbered from one without gaps', () => {
    temp = tempStore();
    expect(migrations.map(({ version: number }) => number)).toEqual(migrations.map((_, index) => index + 1));
  });

  it.each(all.map((_, from) => from))('take a file of version %i to the newest schema', (from) => {
    temp = tempStore();
    temp.current().close();
    rmSync(temp.dataDir, { recursive: true });
    openStore({ dataDir: temp.dataDir, log: silentLog, migrations: all.slice(0, from) }).close();
    temp.reopen({ migrations: all });
    const upgraded = withFile(schema);
    const fresh = tempStore();
    fresh.current().close();
    rmSync(fresh.dataDir, { recursive: true });
    openStore({ dataDir: fresh.dataDir, log: silentLog, migrations: all }).close();
    const file = new Sqlite(`${fresh.dataDir}/proxy.db`, { busyTimeoutMs: 500, synchronous: 'NORMAL' });
    expect(upgraded).toEqual(schema(file));
    file.close();
    rmSync(fresh.dataDir, { recursive: true });
  });

  it('keep what is in the file', () => {
    temp = tempStore();
    const store = temp.current();
    const request = givenRequest(store);
    store.decide(once(request));
    const secret = givenSecret(store, 'API_KEY');
    const later = temp.reopen({ migrations: all });
    expect(later.request(request.id)?.status).toBe('approved');
    expect(later.secretByName('API_KEY')).toEqual(secret);
    expect(later.verifyAudit()).toMatchObject({ ok: true });
    expect(givenAgent(later)).toContain('agt_');
  });

  it('that fail leave the file at the version before, whole, and say so', () => {
    temp = tempStore();
    const request = givenRequest(temp.current());
    temp.current().close();
    const broken = { ...next, sql: `${next.sql} INSERT INTO nowhere VALUES (1);` };
    const open = () => openStore({ dataDir: temp.dataDir, log: silentLog, migrations: [...migrations, broken] });
    expect(open).toThrow('nowhere');
    const store = temp.reopen();
    expect(store.request(request.id)?.status).toBe('pending');
    expect(withFile(version)).toBe(migrations.length);
  });

  it('never touch a file of a newer app', () => {
    temp = tempStore();
    const request = givenRequest(temp.current());
    temp.reopen({ migrations: all });
    expect(() => temp.reopen()).toThrow(DatabaseTooNewError);
    expect(() => temp.reopen()).toThrow(/newer version.*nothing was changed/);
    expect(temp.reopen({ migrations: all }).request(request.id)?.createdAt).toBe(start);
    expect(withFile(version)).toBe(all.length);
  });
});

import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../core/log.ts';
import type { AuditFilter } from '../core/records.ts';
import { type AuditPiece, AuditSearch } from './auditSearch.ts';
import { givenAgent, givenRequest, givenSecret, minute, once, start, type TempStore, tempStore } from './fixtures.ts';
import { migrations } from './migrations/all.ts';
import { Sqlite, type SqlParams } from './sqlite.ts';
import { openStore, type Store } from './store.ts';

let temp: TempStore;
let store: Store;
beforeEach(() => {
  temp = tempStore();
  store = temp.current();
});
afterEach(() => temp.dispose());

const kinds = (filter: AuditFilter, limit = 50): readonly string[] =>
  store.audit({ ...filter, limit }).map(({ kind }) => kind);
const seqs = (filter: AuditFilter & { beforeSeq?: number }, limit = 50): readonly number[] =>
  store.audit({ ...filter, limit }).map(({ seq }) => seq);
const note = (payload: unknown, at = start, kind = 'note.made') =>
  store.appendAudit({ actor: 'cli', kind, payload }, at);

/** Another connection to the same file. */
function inFile<Result>(look: (file: Sqlite) => Result): Result {
  const file = new Sqlite(`${temp.dataDir}/proxy.db`, { busyTimeoutMs: 500, synchronous: 'NORMAL' });
  try {
    return look(file);
  } finally {
    file.close();
  }
}

describe('the audit log', () => {
  it('is found by agent, skill, secret, host, kind and group of kinds, also together', () => {
    const mine = givenAgent(store, 'laptop');
    const request = givenRequest(store, mine);
    givenRequest(store, givenAgent(store, 'server'));
    givenSecret(store, 'API_KEY');
    store.decide(once(request));
    expect(kinds({ agent: 'laptop' })).toEqual(['request.approved', 'request.created', 'agent.added']);
    expect(kinds({ agent: 'server' })).toEqual(['request.created', 'agent.added']);
    expect(kinds({ secret: 'API_KEY' })).toContain('secret.added');
    expect(kinds({ kind: 'agent.added' })).toEqual(['agent.added', 'agent.added']);
    expect(kinds({ kind: 'request.' })).toEqual(kinds({ kind: 'request.*' }));
    expect(kinds({ kind: 'request.' })).toHaveLength(3);
    expect(kinds({ agent: 'laptop', kind: 'request.', skill: request.skillId })).toHaveLength(2);
    expect(kinds({ agent: 'laptop', requestId: request.id, search: 'approved' })).toEqual(['request.approved']);
    expect(kinds({ agent: 'nobody' })).toEqual([]);
    expect(store.audit({ agent: 'laptop', limit: 1 })[0]).toMatchObject({ agent: 'laptop', skill: request.skillId });
  });

  it('is found by the hosts and secrets of the request that an event is about', () => {
    const request = givenRequest(store);
    const [host] = request.manifestDigest === '' ? [] : (store.manifest(request.manifestDigest)?.network ?? []);
    store.decide(once(request));
    if (host !== undefined) expect(kinds({ host: host.host })).toEqual(['request.approved', 'request.created']);
    note({ hosts: ['api.example.com:8443'] });
    expect(kinds({ host: 'api.example.com' })).toContain('note.made');
  });

  it('gives a page that goes on where the last one ended, newest first or oldest first', () => {
    for (let index = 0; index < 700; index += 1) note({ index, odd: index % 2 === 0 ? 'even' : 'uneven' });
    const all = seqs({ search: 'uneven' }, 1_000);
    expect(all).toHaveLength(350);
    expect([...all]).toEqual([...all].sort((a, b) => b - a));
    const first = seqs({ search: 'uneven' }, 30);
    expect([...first, ...seqs({ search: 'uneven', beforeSeq: first.at(-1) ?? 0 }, 1_000)]).toEqual(all);
    const oldest = [...store.auditSlices({ search: 'uneven' }, { order: 'oldest', from: null, limit: 1_000 })].flat();
    expect(oldest.map(({ seq }) => seq)).toEqual([...all].reverse());
  });

  it('works in bounded pieces where two common filters have nothing in common', () => {
    store.together(() => {
      for (let index = 0; index < 12_000; index += 1) note({ secrets: [index % 2 === 0 ? 'LEFT' : 'RIGHT'] });
    });
    const filter = { secret: 'LEFT', search: 'right' };
    expect(kinds(filter)).toEqual([]);
    const pieces = inFile((file) => {
      const search = new AuditSearch(file);
      const found: AuditPiece[] = [];
      do found.push(search.piece(filter, 'newest', found.at(-1)?.next ?? null, 10));
      while (found.at(-1)?.next !== null);
      return found;
    });
    expect(pieces).toHaveLength(2);
    expect(pieces.flatMap(({ events }) => events)).toEqual([]);
  });

  it('is cut to a time exactly, whatever the clock did', () => {
    const times = [0, 1, 2, 60, 61, 20, 21, 62, 300, 301].map((minutes) => start + minutes * minute);
    for (const [index, at] of times.entries()) note({ index }, at);
    const within = (since: number, until: number): readonly unknown[] =>
      store
        .audit({ since: start + since * minute, until: start + until * minute, limit: 99 })
        .map(({ payload }) => Reflect.get(Object(payload), 'index'));
    expect(within(0, 2)).toEqual([2, 1, 0]);
    expect(within(20, 21)).toEqual([6, 5]);
    expect(within(10, 61)).toEqual([6, 5, 4, 3]);
    expect(within(300, 999)).toEqual([9, 8]);
    expect(within(400, 999)).toEqual([]);
  });

  it('finds words as words, in any case and accent, and no sign as a command', () => {
    note({ text: 'Größe of api.example.com' });
    note({ text: 'other' });
    expect(kinds({ search: 'GROSSE grosse' })).toEqual([]);
    expect(kinds({ search: 'größe API.example.com' })).toEqual(['note.made']);
    expect(kinds({ search: 'text' })).toEqual([]);
    expect(kinds({ search: '---' })).toEqual([]);
    expect(kinds({ search: 'größe -other' })).toEqual([]);
    expect(kinds({ search: 'größe OR other' })).toEqual([]);
  });

  it('does not find text that was taken away, before or after it was indexed', () => {
    note({ text: 'forgettable', hosts: ['gone.example.com'] });
    expect(kinds({ search: 'forgettable' })).toHaveLength(1);
    note({ text: 'forgettable' });
    inFile((file) => file.run('UPDATE audit_events SET payload = NULL'));
    expect(kinds({ search: 'forgettable' })).toEqual([]);
    expect(kinds({ host: 'gone.example.com' })).toEqual([]);
    expect(kinds({ kind: 'note.made' })).toHaveLength(2);
    expect(store.verifyAudit()).toMatchObject({ ok: true });
  });

  it('is indexed after a crash, after an update and after a cut, without anybody writing to it', () => {
    for (let index = 0; index < 600; index += 1) note({ text: `word${index % 3}` });
    store = temp.reopen();
    expect(seqs({ search: 'word1' }, 999)).toHaveLength(200);
    temp.current().close();
    inFile((file) => {
      file.exec('DROP TRIGGER audit_events_stay; DELETE FROM audit_events WHERE seq > 300');
    });
    store = temp.reopen();
    expect(seqs({ search: 'word1' }, 999)).toHaveLength(100);
  });

  it('is indexed when it was written by a version without an index', () => {
    temp.current().close();
    rmSync(temp.dataDir, { recursive: true });
    const before = openStore({ dataDir: temp.dataDir, log: silentLog, migrations: migrations.slice(0, 2) });
    before.appendAudit({ actor: 'cli', kind: 'note.made', payload: { text: 'early' } }, start);
    before.close();
    store = temp.reopen();
    expect(kinds({ search: 'early' })).toEqual(['note.made']);
  });

  it('names what there is to filter by, as it begins', () => {
    givenAgent(store, 'laptop');
    givenAgent(store, 'lab');
    givenAgent(store, 'server');
    kinds({ agent: 'x' });
    expect(store.auditValues('agent', '', 9)).toEqual(['lab', 'laptop', 'server']);
    expect(store.auditValues('agent', 'la', 1)).toEqual(['lab']);
    expect(store.auditValues('kind', '', 9)).toEqual(['agent.added']);
  });

  it('counts what happened and how long the owner took', () => {
    const request = givenRequest(store);
    store.decide(once(request));
    kinds({ agent: 'x' });
    const day = 24 * 60 * minute;
    expect(store.auditCounts(start - day, start + day)).toMatchObject({ asked: 1, approved: 1, denied: 0 });
    expect(store.auditCounts(start + day, start + 2 * day)).toMatchObject({ asked: 0 });
    expect(store.auditWaits(start - day, start + day)).toHaveLength(1);
  });
});

describe('every question to the audit log', () => {
  const given = (): Readonly<Record<string, AuditFilter>> => {
    const agent = givenAgent(store, 'laptop');
    const request = givenRequest(store, agent);
    givenSecret(store, 'API_KEY');
    for (let index = 0; index < 600; index += 1) {
      note({
        text: 'common words',
        hosts: ['api.example.com'],
        secrets: ['API_KEY'],
        agent: 'laptop',
        skill_id: 'report',
      });
    }
    kinds({ search: 'x' });
    return {
      nothing: {},
      agent: { agent: 'laptop' },
      skill: { skill: 'report' },
      secret: { secret: 'API_KEY' },
      host: { host: 'api.example.com' },
      kind: { kind: 'note.made' },
      group: { kind: 'note.' },
      request: { requestId: request.id },
      since: { since: start },
      until: { until: start + minute },
      search: { search: 'common words' },
    };
  };

  it('is answered from an index, alone and with any other, without a scan or a sort', () => {
    const filters = Object.entries(given());
    const plans = inFile((file) => {
      const asked = new Map<string, SqlParams>();
      const kept = (sql: string, params: SqlParams = []) => asked.set(sql, params);
      const search = new AuditSearch({
        get: (sql, params) => {
          kept(sql, params);
          return file.get(sql, params);
        },
        all: (sql, params) => {
          kept(sql, params);
          return file.all(sql, params);
        },
      });
      for (const [, one] of filters) {
        for (const [, other] of filters) {
          for (const order of ['newest', 'oldest'] as const) search.piece({ ...one, ...other }, order, null, 20);
        }
      }
      search.piece(Object.assign({}, ...filters.map(([, filter]) => filter)), 'newest', null, 20);
      search.values('agent', 'l', 20);
      kept('SELECT what, count FROM audit_counts WHERE quarter >= ? AND quarter < ?', [1, 2]);
      kept('SELECT took_ms FROM audit_waits WHERE at >= ? AND at < ?', [1, 2]);
      return [...asked].flatMap(([sql, params]) =>
        file.all(`EXPLAIN QUERY PLAN ${sql}`, params).map((step) => `${Reflect.get(Object(step), 'detail')}`),
      );
    });
    expect(plans.length).toBeGreaterThan(15);
    for (const plan of plans) {
      // The word index is a table of its own kind: it is always "scanned", by the words that it was given.
      if (plan.includes('VIRTUAL TABLE')) expect(plan).toMatch(/INDEX \d+:(M1><|=M1)$/);
      // One row.
      else if (plan !== 'SCAN audit_index') expect(plan).toMatch(/^SEARCH /);
    }
  });
});

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditQuery } from '../contract/audit.ts';
import { silentLog } from '../main/core/log.ts';
import { systemClock } from '../main/core/systemClock.ts';
import { auditActions } from '../main/owner/audit.ts';
import { openStore, type Store } from '../main/store/store.ts';
import { type Race, race } from './race.ts';

const FEW = 10_000;
const MANY = 1_000_000;
/** Rows of a page; the smaller log too has so many for each question, or it would have less to do. */
const PAGE = 100;
const SPAN_MS = 90 * 24 * 3_600_000;
const TURNS = 20;
const WRITTEN_AT_ONCE = 5_000;

const kinds = ['request.created', 'request.approved', 'run.started', 'run.ended', 'egress.request'];
const words = ['weather', 'report', 'mail', 'invoice', 'calendar', 'backup', 'light', 'notes', 'photo', 'train'];
const begun = Date.UTC(2026, 0, 1);

/** An audit log of `size` events over the same time; what is filtered by has the same share of it in every size. */
type Log = Readonly<{
  size: number;
  store: Store;
  ask: (query: AuditQuery) => Promise<readonly unknown[]>;
  close(): void;
}>;

function event(index: number) {
  const host = `api${index % 3}.example.com`;
  return {
    actor: 'broker',
    kind: kinds[index % kinds.length] ?? '',
    payload: {
      agent: `agent-${index % 7}`,
      skill_id: `skill-${index % 31}`,
      secrets: [`KEY_${index % 11}`],
      hosts: [host],
      text: `${words[index % words.length]} number${index % 41}`,
      status: 200,
    },
  };
}

/** Writes a log with the store's own calls, and lets its index follow to the end. */
async function written(folder: string, size: number): Promise<Log> {
  const dataDir = join(folder, `${size}`);
  const store = openStore({ dataDir, log: silentLog });
  store.setMacKey(randomBytes(32));
  const started = performance.now();
  for (let at = 0; at < size; at += WRITTEN_AT_ONCE) {
    store.together(() => {
      for (let index = at; index < Math.min(size, at + WRITTEN_AT_ONCE); index += 1) {
        store.appendAudit(event(index), begun + (index * SPAN_MS) / size);
      }
    });
  }
  const wrote = performance.now();
  for (const _ of store.auditCatchUp());
  const indexed = performance.now();
  const verified = [...store.verifyAuditSlices()].length;
  const checked = performance.now();
  const rate = (from: number, to: number): string => Math.round(size / ((to - from) / 1000)).toLocaleString('en');
  const bytes = statSync(join(dataDir, 'proxy.db')).size;
  process.stdout.write(
    `audit log of ${size.toLocaleString('en')} events: written ${rate(started, wrote)}/s, indexed ${rate(wrote, indexed)}/s, ` +
      `chain checked ${rate(indexed, checked)}/s (${verified} slices), ${Math.round(bytes / size)} bytes an event\n`,
  );
  const { audit } = auditActions({ records: store, clock: systemClock });
  return { size, store, ask: audit, close: () => store.close() };
}

type Question = Readonly<{ name: string; query: (size: number, turn: number) => Partial<AuditQuery> }>;

/** Each turn asks for something else, so that no answer is only a repetition of the one before. */
const questions: readonly Question[] = [
  { name: 'first page', query: () => ({}) },
  {
    name: 'scroll: a page from anywhere in the log',
    query: (size, turn) => ({ before_seq: Math.round((size * (turn + 1)) / (TURNS + 1)) }),
  },
  { name: 'filter by skill', query: (_, turn) => ({ skill: `skill-${turn}` }) },
  {
    name: 'filter by skill and host',
    query: (_, turn) => ({ skill: `skill-${turn}`, host: `api${turn % 3}.example.com` }),
  },
  { name: 'search for a word', query: (_, turn) => ({ search: `number${turn}` }) },
  {
    name: 'search for a word within a month and one kind',
    query: (_, turn) => ({
      search: words[turn % words.length] ?? '',
      kind: kinds[turn % kinds.length] ?? '',
      since: new Date(begun + SPAN_MS / 3).toISOString(),
      until: new Date(begun + (SPAN_MS * 2) / 3).toISOString(),
    }),
  },
];

/** Pages of the audit log as the window asks for them, of a million events against ten thousand. */
export async function benchAudit(rounds: number): Promise<readonly Race[]> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-bench-'));
  const logs: Log[] = [];
  try {
    const many = await written(folder, MANY);
    logs.push(many);
    const few = await written(folder, FEW);
    logs.push(few);
    const races: Race[] = [];
    for (const { name, query } of questions) {
      const pages = (log: Log) => async (): Promise<readonly number[]> => {
        const started = performance.now();
        for (let turn = 0; turn < TURNS; turn += 1) {
          const { length } = await log.ask({ ...query(log.size, turn), limit: PAGE });
          if (length !== PAGE) throw new Error(`a page of ${length} events of ${log.size}: ${name}`);
        }
        return [(performance.now() - started) / TURNS];
      };
      races.push(
        await race(`audit, ${name}`, 'ms', rounds, [
          { name: '1,000,000 events', measure: pages(many) },
          { name: '10,000 events', measure: pages(few), aim: { text: '<= 2', holds: (ratio) => ratio <= 2 } },
        ]),
      );
    }
    return races;
  } finally {
    for (const log of logs) log.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

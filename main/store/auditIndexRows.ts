import { z } from 'zod';
import { type AboutRequest, type AuditFacts, aboutNothing, auditFacts, type IndexedEvent } from './auditFacts.ts';
import { int, maybe, maybeInt, maybeText, row, text } from './rowParser.ts';
import type { Sqlite } from './sqlite.ts';

const markEveryMs = 10_000;
const markEveryEvents = 256;
/** What the statistics are counted by: the days of every time zone are made of whole quarters of an hour. */
export const quarterMs = 15 * 60_000;

const stateSchema = z.object({ seq: int, newest_at: int, setback: int });
export const indexStateRow = row(stateSchema);
const requestFactsRow = row(
  z.object({ skill: text, created_at: int, agent: maybeText, secrets: maybeText, hosts: maybeText }),
);
const approvedRequestRow = row(z.object({ request_id: text }));
const nameRow = row(z.object({ name: text }));
const markRow = row(z.object({ at: maybeInt, seq: maybeInt }));
const namesIn = z.array(z.string());

/** The log was cut by another hand: its numbers come again for other events. */
export function forgetIndex(quick: Sqlite): void {
  for (const table of ['audit_facets', 'audit_values', 'audit_marks', 'audit_counts', 'audit_waits', 'audit_words']) {
    quick.run(`DELETE FROM ${table}`);
  }
  quick.run('UPDATE audit_index SET seq = 0, newest_at = 0, setback = 0');
}

/** What these events are found by, after what is there `from` before. Part of a transaction. */
export function writeIndex(quick: Sqlite, events: readonly IndexedEvent[], from: z.infer<typeof stateSchema>): void {
  const requests = new Map<string, AboutRequest>();
  const about = (event: IndexedEvent): AboutRequest => {
    const id = event.requestId ?? requestOfTrust(quick, event.payload);
    if (id === null) return aboutNothing;
    const known = requests.get(id) ?? aboutRequest(quick, id);
    requests.set(id, known);
    return known;
  };
  let { newest_at: newestAt, setback } = from;
  let mark = markRow(quick.get('SELECT max(at) AS at, max(seq) AS seq FROM audit_marks'));
  for (const event of events) {
    writeFacts(quick, event, auditFacts(event, about(event), agentOf(quick, event)));
    newestAt = Math.max(newestAt, event.at);
    setback = Math.max(setback, newestAt - event.at);
    const due = newestAt - (mark.at ?? 0) >= markEveryMs || event.seq - (mark.seq ?? 0) >= markEveryEvents;
    if (mark.at === null || (newestAt > mark.at && due)) {
      mark = { at: newestAt, seq: event.seq };
      quick.run('INSERT INTO audit_marks (at, seq) VALUES (?, ?)', [newestAt, event.seq]);
    }
  }
  quick.run('UPDATE audit_index SET seq = ?, newest_at = ?, setback = ?', [
    events.at(-1)?.seq ?? from.seq,
    newestAt,
    setback,
  ]);
}

function writeFacts(quick: Sqlite, { seq, at }: IndexedEvent, facts: AuditFacts): void {
  for (const [facet, value] of facts.facets) {
    quick.run('INSERT OR IGNORE INTO audit_values (facet, value) VALUES (?, ?)', [facet, value]);
    quick.run(
      'INSERT OR IGNORE INTO audit_facets (value_id, seq) SELECT id, ? FROM audit_values WHERE facet = ? AND value = ?',
      [seq, facet, value],
    );
  }
  quick.run('INSERT INTO audit_words (rowid, words) VALUES (?, ?)', [seq, facts.words]);
  if (facts.counts !== null) {
    quick.run(
      `INSERT INTO audit_counts (quarter, what, count) VALUES (?, ?, 1)
       ON CONFLICT (quarter, what) DO UPDATE SET count = count + 1`,
      [Math.floor(at / quarterMs), facts.counts],
    );
  }
  if (facts.tookMs !== null) {
    quick.run('INSERT INTO audit_waits (at, seq, took_ms) VALUES (?, ?, ?)', [at, seq, facts.tookMs]);
  }
}

function aboutRequest(quick: Sqlite, id: string): AboutRequest {
  const found = maybe(
    requestFactsRow,
    quick.get(
      `SELECT requests.skill_id AS skill, requests.created_at, agents.name AS agent,
         (SELECT json_group_array(value ->> '$.name') FROM json_each(manifests.json, '$.secrets')) AS secrets,
         (SELECT json_group_array(value ->> '$.host') FROM json_each(manifests.json, '$.network')) AS hosts
       FROM requests LEFT JOIN agents ON agents.id = requests.agent_id
         LEFT JOIN manifests ON manifests.digest = requests.manifest_digest
       WHERE requests.id = ?`,
      [id],
    ),
  );
  if (found === null) return aboutNothing;
  return {
    agent: found.agent,
    skill: found.skill,
    secrets: namesIn.catch([]).parse(JSON.parse(found.secrets ?? '[]')),
    hosts: namesIn.catch([]).parse(JSON.parse(found.hosts ?? '[]')),
    createdAt: found.created_at,
  };
}

/** Taking trust back names the entry alone; that knows the request it came from. */
function requestOfTrust(quick: Sqlite, payload: unknown): string | null {
  const id = stringField(payload, 'trust_id');
  if (id === null) return null;
  return (
    maybe(approvedRequestRow, quick.get('SELECT request_id FROM approvals WHERE id = ?', [id]))?.request_id ?? null
  );
}

function agentOf(quick: Sqlite, { actor, payload }: IndexedEvent): string | null {
  const id = actor.startsWith('agent:') ? actor.slice('agent:'.length) : stringField(payload, 'agent_id');
  return id === null ? null : (maybe(nameRow, quick.get('SELECT name FROM agents WHERE id = ?', [id]))?.name ?? null);
}

function stringField(payload: unknown, field: string): string | null {
  const value: unknown = typeof payload === 'object' && payload !== null ? Reflect.get(payload, field) : null;
  return typeof value === 'string' ? value : null;
}

import type { AuditFilter as AskedFilter, AuditFormat } from '../../contract/audit.ts';
import { CodedError } from '../../contract/errors.ts';
import type { AuditRow, OwnerActions } from '../../contract/owner.ts';
import type { AuditFilter, AuditFound } from '../core/records.ts';
import { isoTime } from '../core/times.ts';
import type { OwnerDeps } from './ports.ts';
import { statistics } from './statistics.ts';
import { turn } from './turn.ts';

const exportedAtOnce = 200;
const offeredValues = 100;
/** Some verify steps take less than a ms: the window need not hear of each. */
const toldEvery = 10_000;

const row = (event: AuditFound): AuditRow => ({
  seq: event.seq,
  at: isoTime(event.at),
  actor: event.actor,
  kind: event.kind,
  request_id: event.requestId,
  payload: event.payload,
  hash: event.hash,
  agent: event.agent,
  skill_id: event.skill,
});

const csvColumns = ['seq', 'at', 'actor', 'kind', 'request_id', 'payload', 'hash', 'agent', 'skill_id'] as const;

/** RFC 4180. A cell that a spreadsheet would take for a formula gets an apostrophe in front. */
function csvCell(value: unknown): string {
  const text =
    value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : `${value}`;
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

const lineOf = (event: AuditFound, format: AuditFormat): string => {
  const line = row(event);
  return format === 'jsonl'
    ? `${JSON.stringify(line)}\n`
    : `${csvColumns.map((column) => csvCell(line[column])).join(',')}\r\n`;
};

function filterOf({ request, since, until, search, ...names }: AskedFilter): AuditFilter {
  return {
    ...names,
    ...(request === undefined ? {} : { requestId: request }),
    ...(since === undefined ? {} : { since: Date.parse(since) }),
    ...(until === undefined ? {} : { until: Date.parse(until) }),
    ...(search === undefined ? {} : { search }),
  };
}

type AuditActions = Pick<
  OwnerActions,
  'audit' | 'auditEvent' | 'auditValues' | 'verifyAudit' | 'exportAudit' | 'statistics'
>;

/** The chain of what happened: to read, to search, to check, to take away as a file. */
export function auditActions({ records, clock }: Pick<OwnerDeps, 'records' | 'clock'>): AuditActions {
  async function caughtUp(): Promise<void> {
    for (const _ of records.auditCatchUp()) await turn();
  }

  async function* exported(format: AuditFormat, filter: AskedFilter = {}): AsyncIterable<string> {
    if (format === 'csv') yield `${csvColumns.join(',')}\r\n`;
    const asked = filterOf(filter);
    // What is written while it is exported is not part of it.
    const end = records.newestAuditSeq();
    let from: number | null = 0;
    while (from !== null) {
      const page: AuditFound[] = [];
      for (const found of records.auditSlices(asked, { order: 'oldest', from, limit: exportedAtOnce })) {
        page.push(...found.filter(({ seq }) => seq <= end));
        await turn();
      }
      if (page.length > 0) yield page.map((event) => lineOf(event, format)).join('');
      from = page.length < exportedAtOnce ? null : (page.at(-1)?.seq ?? null);
    }
  }

  return {
    async audit({ limit, before_seq, ...filter }) {
      const page: AuditFound[] = [];
      const slices = records.auditSlices(filterOf(filter), { order: 'newest', from: before_seq ?? null, limit });
      for (const found of slices) {
        page.push(...found);
        if (page.length < limit) await turn();
      }
      return page.map(row);
    },

    auditEvent(seq) {
      const found = records.auditEvent(seq);
      if (found === null) throw new CodedError('not_found', `There is no event ${seq}.`);
      return row(found);
    },

    async auditValues(facet, begins) {
      await caughtUp();
      const found = records.auditValues(facet, begins, offeredValues + 1);
      return { items: found.slice(0, offeredValues), more: found.length > offeredValues };
    },

    async verifyAudit(onProgress = () => {}, signal) {
      const work = records.verifyAuditSlices();
      const total = records.newestAuditSeq();
      let step = work.next();
      while (step.done !== true) {
        if (step.value % toldEvery === 0) onProgress({ done: step.value, total: Math.max(step.value, total) });
        await turn();
        signal?.throwIfAborted();
        step = work.next();
      }
      const verdict = step.value;
      return verdict.ok
        ? { ok: true, events: verdict.events }
        : { ok: false, events: verdict.brokenAtSeq - 1, broken_at: verdict.brokenAtSeq, reason: verdict.reason };
    },

    exportAudit: exported,

    async statistics(days) {
      await caughtUp();
      return statistics(records, clock.wallMs(), days);
    },
  };
}

import type { AuditRow, OwnerActions } from '../../contract/owner.ts';
import type { AuditEvent } from '../core/records.ts';
import { isoTime } from '../core/times.ts';
import type { OwnerDeps } from './ports.ts';

const row = (event: AuditEvent): AuditRow => ({
  seq: event.seq,
  at: isoTime(event.at),
  actor: event.actor,
  kind: event.kind,
  request_id: event.requestId,
  payload: event.payload,
  hash: event.hash,
});

const csvColumns = ['seq', 'at', 'actor', 'kind', 'request_id', 'payload', 'hash'] as const;

/** RFC 4180. A cell that a spreadsheet would take for a formula gets an apostrophe in front. */
function csvCell(value: unknown): string {
  const text =
    value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : `${value}`;
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

type AuditActions = Pick<OwnerActions, 'audit' | 'verifyAudit' | 'exportAudit'>;

/** The chain of what happened: to read, to check, to take away as a file. */
export function auditActions({ records }: Pick<OwnerDeps, 'records'>): AuditActions {
  function* exported(format: 'jsonl' | 'csv'): Iterable<string> {
    if (format === 'csv') yield `${csvColumns.join(',')}\r\n`;
    for (const event of records.eachAudit()) {
      const line = row(event);
      yield format === 'jsonl'
        ? `${JSON.stringify(line)}\n`
        : `${csvColumns.map((column) => csvCell(line[column])).join(',')}\r\n`;
    }
  }

  return {
    audit: (filter) =>
      records
        .audit({
          limit: filter.limit,
          ...(filter.before_seq === undefined ? {} : { beforeSeq: filter.before_seq }),
          ...(filter.kind === undefined ? {} : { kind: filter.kind }),
        })
        .map(row),

    verifyAudit() {
      const verdict = records.verifyAudit();
      return verdict.ok
        ? { ok: true, events: verdict.events }
        : { ok: false, events: verdict.brokenAtSeq - 1, broken_at: verdict.brokenAtSeq, reason: verdict.reason };
    },

    exportAudit: exported,
  };
}

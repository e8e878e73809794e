import type { AuditFilter, AuditFound, Records } from '../core/records.ts';
import type { AuditLog } from './audit.ts';
import type { AuditIndex } from './auditIndex.ts';
import { AuditSearch } from './auditSearch.ts';
import { countsBetween, waitsBetween } from './auditStatistics.ts';
import { intValue } from './rowParser.ts';
import type { Sqlite } from './sqlite.ts';

export type AuditRecords = Pick<
  Records,
  | 'appendAudit'
  | 'audit'
  | 'auditSlices'
  | 'auditEvent'
  | 'auditValues'
  | 'newestAuditSeq'
  | 'auditCatchUp'
  | 'auditCounts'
  | 'auditWaits'
  | 'verifyAudit'
  | 'verifyAuditSlices'
  | 'eachAudit'
>;

/** The log and all the ways to look into it. */
export function auditRecords(db: Sqlite, audit: AuditLog, index: AuditIndex): AuditRecords {
  const search = new AuditSearch(db);

  function* catchUp(): Generator<void, void, void> {
    while (index.step()) yield;
  }

  function* slices(
    filter: AuditFilter,
    { order, from, limit }: Parameters<Records['auditSlices']>[1],
  ): Generator<readonly AuditFound[], void, void> {
    // The log by itself needs no index.
    if (Object.keys(filter).some((part) => part !== 'requestId')) for (const _ of catchUp()) yield [];
    let found = 0;
    let next = from;
    do {
      const piece = search.piece(filter, order, next, limit - found);
      found += piece.events.length;
      next = piece.next;
      yield piece.events;
    } while (next !== null && found < limit);
  }

  return {
    appendAudit: (input, nowMs) => audit.append(input, nowMs),
    audit: ({ limit, beforeSeq, ...filter }) => [
      ...[...slices(filter, { order: 'newest', from: beforeSeq ?? null, limit })].flat(),
    ],
    auditSlices: slices,
    auditEvent: (seq) => search.event(seq),
    auditValues: (facet, begins, limit) => search.values(facet, begins, limit),
    newestAuditSeq: () => intValue(db.get('SELECT coalesce(max(seq), 0) AS value FROM audit_events')),
    auditCatchUp: catchUp,
    auditCounts: (fromMs, toMs) => countsBetween(db, fromMs, toMs),
    auditWaits: (fromMs, toMs) => waitsBetween(db, fromMs, toMs),
    verifyAudit() {
      const work = audit.verifySlices();
      for (;;) {
        const step = work.next();
        if (step.done === true) return step.value;
      }
    },
    verifyAuditSlices: () => audit.verifySlices(),
    eachAudit: () => audit.each(),
  };
}

import { z } from 'zod';
import type { AuditCounts } from '../core/records.ts';
import { type AuditCount, auditCounts } from './auditFacts.ts';
import { quarterMs } from './auditIndexRows.ts';
import { int, row } from './rowParser.ts';
import type { Sqlite } from './sqlite.ts';

const countRow = row(z.object({ what: z.enum(auditCounts), count: int }));
const waitRow = row(z.object({ took_ms: int }));

/** What happened from `fromMs` up to, not including, `toMs`; both on a quarter of an hour. */
export function countsBetween(db: Pick<Sqlite, 'all'>, fromMs: number, toMs: number): AuditCounts {
  const sums: Record<AuditCount, number> = {
    asked: 0,
    trusted: 0,
    approved: 0,
    denied: 0,
    expired: 0,
    succeeded: 0,
    failed: 0,
  };
  const rows = db.all('SELECT what, count FROM audit_counts WHERE quarter >= ? AND quarter < ?', [
    Math.floor(fromMs / quarterMs),
    Math.floor(toMs / quarterMs),
  ]);
  for (const { what, count } of rows.map(countRow)) sums[what] += count;
  return sums;
}

/** How long each request waited that was decided then, in ms, shortest first. */
export function waitsBetween(db: Pick<Sqlite, 'all'>, fromMs: number, toMs: number): readonly number[] {
  return db
    .all('SELECT took_ms FROM audit_waits WHERE at >= ? AND at < ?', [fromMs, toMs])
    .map((found) => waitRow(found).took_ms)
    .sort((a, b) => a - b);
}

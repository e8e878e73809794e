import { z } from 'zod';
import type { Segment } from './display.ts';

const value = z.string().min(1).max(300).exactOptional();
const time = z.iso.datetime({ offset: true }).exactOptional();

/** What to look for in the audit log; every part that is given must hold. */
const filter = {
  /** Names, as they stand in the lists. */
  agent: value,
  skill: value,
  secret: value,
  /** Without its port. */
  host: value,
  /** `request.created`, or `request.` for all that begins so. */
  kind: value,
  request: value,
  /** Times of RFC 3339, both included. */
  since: time,
  until: time,
  /** Whole words that must all be in the event; no character has a meaning of its own. */
  search: z.string().min(1).max(500).exactOptional(),
};
export const auditFilterSchema = z.strictObject(filter);
export type AuditFilter = z.infer<typeof auditFilterSchema>;

export const auditQuerySchema = z.strictObject({
  ...filter,
  limit: z.number().int().min(1).max(1000),
  before_seq: z.number().int().min(1).exactOptional(),
});
export type AuditQuery = z.infer<typeof auditQuerySchema>;

export const auditFacetSchema = z.enum(['agent', 'skill', 'secret', 'host', 'kind']);
export type AuditFacet = z.infer<typeof auditFacetSchema>;
/** Names to filter by; `more`: there are others, which a longer beginning would show. */
export type AuditValues = Readonly<{ items: readonly string[]; more: boolean }>;
export const auditValuesSchema = z.strictObject({ facet: auditFacetSchema, begins: z.string().max(300) });

export const auditFormatSchema = z.enum(['jsonl', 'csv']);
export type AuditFormat = z.infer<typeof auditFormatSchema>;

export type AuditProgress = Readonly<{ done: number; total: number }>;
export type AuditVerdict = Readonly<{ ok: boolean; events: number; broken_at?: number; reason?: string }>;

/** An event as the window lists it. What others wrote is in segments; a long sentence says how much it leaves out. */
export type AuditLine = Readonly<{
  seq: number;
  at: string;
  actor: readonly Segment[];
  kind: string;
  request_id: string | null;
  sentence: readonly Segment[];
}>;

/** All of one event. */
export type AuditDetail = Readonly<{
  seq: number;
  hash: string;
  /** Null when it was pruned. */
  payload: readonly Segment[] | null;
}>;

/** What main is doing with the log for the window. `done` of an export: events written. */
export type AuditWork = Readonly<{ job: 'verify' | 'export' } & AuditProgress>;
/** Null: the owner chose no file. */
export type AuditExported = Readonly<{ file: string; events: number; cancelled: boolean }> | null;

/** One day of the owner's time zone. */
export type StatisticsDay = Readonly<{
  /** `2026-01-31`. */
  day: string;
  asked: number;
  trusted: number;
  approved: number;
  denied: number;
  expired: number;
  succeeded: number;
  failed: number;
  /** How long half of the requests waited at most that were decided that day; null: none was. */
  median_wait_ms: number | null;
}>;
export type Statistics = Readonly<{
  days: readonly StatisticsDay[];
  median_wait_ms: number | null;
  /** Of what the owner decided, 0 to 1; null: nothing. */
  share_approved: number | null;
}>;

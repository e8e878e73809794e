import { z } from 'zod';
import type { Segment } from './display.ts';
import type { Isolation, Runtime } from './runtime.ts';
import type { RequestState, TrustLevel } from './states.ts';

/** The runs as the window shows them. What others wrote is in segments; times are UTC milliseconds. */
export const runFilters = ['all', 'active', 'succeeded', 'failed', 'refused'] as const;
export type RunFilter = (typeof runFilters)[number];

const idSchema = z.string().min(1).max(128);
const from = z.number().int().min(0);

export const runsInput = z.strictObject({
  show: z.enum(runFilters),
  agentId: idSchema.exactOptional(),
  /** The cursor of the page before. */
  after: idSchema.exactOptional(),
});
export type RunsInput = z.output<typeof runsInput>;

/** Where what is left of a run can be read, row by row. */
export const runParts = ['stdout', 'stderr', 'code', 'manifest', 'canonical', 'arguments'] as const;
export type RunPart = (typeof runParts)[number];

export const maxTextRows = 500;
export const runTextInput = z.strictObject({
  id: idSchema,
  part: z.enum(runParts),
  from,
  count: z.number().int().min(1).max(maxTextRows),
});
export type RunTextInput = z.output<typeof runTextInput>;

export const maxExchanges = 100;
export const runExchangesInput = z.strictObject({ id: idSchema, from });
export type RunExchangesInput = z.output<typeof runExchangesInput>;

export const runInput = z.strictObject({ id: idSchema });

export type RunRow = Readonly<{
  id: string;
  agent: readonly Segment[];
  skill: readonly Segment[];
  status: RequestState;
  createdAtMs: number;
  startedAtMs: number | null;
  /** Null while it runs, and when it never ran. */
  durationMs: number | null;
  decision: TrustLevel | 'deny' | null;
  trusted: boolean;
  runtime: Runtime | null;
  isolation: Isolation | null;
  /** Why an approved one has not started yet; null when nothing but its turn is missing. */
  waitingFor: string | null;
}>;

/** `next`: the cursor of the page after this one; null when this is the last. */
export type RunPage = Readonly<{ rows: readonly RunRow[]; next: string | null }>;

/** A row of a text as it is drawn: one line of it, or a part of a line that is longer than a row. */
export type TextRow = Readonly<{ line: number; continued: boolean; of: readonly Segment[] }>;

/** `rows` of them from `from` on; `total` and `lines` are those of the whole text so far. */
export type TextRows = Readonly<{ rows: readonly TextRow[]; total: number; lines: number }>;

export type ExchangeView = Readonly<{
  atMs: number;
  method: readonly Segment[];
  /** With its port where that is not 443. */
  host: readonly Segment[];
  path: readonly Segment[];
  /** 0: there was no answer. */
  status: number;
  bytesIn: number;
  bytesOut: number;
  durationMs: number;
  secrets: readonly (readonly Segment[])[];
  refused: string | null;
  /** A stand-in left in a body, where none is replaced. */
  placeholderInBody: boolean;
}>;

export type Exchanges = Readonly<{ rows: readonly ExchangeView[]; total: number }>;

export type RunDecision = Readonly<{
  /** Null while nobody decided, or when nobody did. */
  verdict: TrustLevel | 'deny' | null;
  /** As it stands after a verb: "in the app". */
  by: string | null;
  trusted: boolean;
  /** What the agent was told. */
  reason: readonly Segment[] | null;
}>;

/** How a stream stands. `characters` grows with each that is kept. */
export type StreamView = Readonly<{ characters: number; lines: number }>;

/** What changes while a run is in flight; pushed for the one that the window has open. */
export type RunPulse = Readonly<{
  id: string;
  status: RequestState;
  stdout: StreamView;
  stderr: StreamView;
  /** Something was not kept, because a stream grew too long. */
  truncated: boolean;
  redactions: number;
  exchanges: number;
}>;

/** `output`: being written, kept, taken away by the retention setting, or there never was any. */
export type RunDetail = RunRow &
  Readonly<{
    /** How it stands or how it ended, in a plain sentence. */
    sentence: readonly Segment[];
    output: 'live' | 'kept' | 'gone' | 'none';
    pulse: RunPulse;
    expiresAtMs: number;
    decidedAtMs: number | null;
    finishedAtMs: number | null;
    decided: RunDecision;
    manifestDigest: string;
    /** The manifest that is kept hashes to the digest that was decided about. */
    manifestMatches: boolean;
    codeHash: string;
    codeBytes: number;
    codeKept: boolean;
    hasArguments: boolean;
    exitCode: number | null;
    /** Limit on the time of the run. */
    timeoutMs: number | null;
    timedOut: boolean;
  }>;

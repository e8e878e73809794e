import type { ExchangeRecord } from './egressSpec.ts';
import type { RequestRecord } from './records.ts';

/** What the agent and owner sides need of the runs: start an approved request, stop some, count them. */
export interface RunLauncher {
  /** Queues an `approved` request; its outcome is in the store. Returns at once, never rejects. */
  enqueue(requestId: string): void;
  kill(requestId: string): boolean;
  killAll(): number;
  /** Why an approved request has not started yet, as a sentence; null when nothing but its turn is missing. */
  waitsFor(requestId: string): string | null;
  counts(): Readonly<{ running: number; queued: number }>;
}

/**
 * One output stream of a run in flight: redacted and capped exactly as its result will be. `reader` follows it from the
 * beginning: each call of what it returns gives what came since the last one.
 */
export type LiveText = Readonly<{ reader(): () => string; truncated: boolean; redactions: number }>;

export type LiveRun = Readonly<{ stdout: LiveText; stderr: LiveText; egress(): readonly ExchangeRecord[] }>;

/** What a run has done so far; null when it is not in flight, or not far enough to have done anything. */
export interface RunFollower {
  live(requestId: string): LiveRun | null;
}

/** Announces each state change of a request to whoever waits (long-polls, desk, window). */
export interface RequestEvents {
  emitChanged(request: RequestRecord): void;
  onChanged(listener: (request: RequestRecord) => void): () => void;
}

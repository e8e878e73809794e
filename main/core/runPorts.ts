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

/** Announces each state change of a request to whoever waits (long-polls, desk, window). */
export interface RequestEvents {
  emitChanged(request: RequestRecord): void;
  onChanged(listener: (request: RequestRecord) => void): () => void;
}

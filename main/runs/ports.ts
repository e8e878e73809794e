import type { Clock } from '../core/clock.ts';
import type { EgressSpec, RunEgress } from '../core/egressSpec.ts';
import type { Log } from '../core/log.ts';
import type { Records } from '../core/records.ts';
import type { Redactor } from '../core/redaction.ts';
import type { RequestEvents } from '../core/runPorts.ts';
import type { Backend } from './backend.ts';

export type RunRecords = Pick<
  Records,
  | 'agent'
  | 'request'
  | 'manifest'
  | 'code'
  | 'secretByName'
  | 'trustEntry'
  | 'startRun'
  | 'finishRun'
  | 'failApproved'
  | 'interruptUnfinished'
  | 'suspendTrust'
  | 'touchSecrets'
  | 'appendAudit'
>;

export type SchedulerDeps = Readonly<{
  records: RunRecords;
  backends: readonly Backend[];
  openEgress: (spec: EgressSpec) => RunEgress;
  vault: Readonly<{
    isUnlocked(): boolean;
    /** The value with the version that it has; null for a secret that is gone. Throws when it cannot be opened. */
    value(secretId: string): Readonly<{ version: number; value: string }> | null;
  }>;
  /** Knows every secret of the vault as it is when asked for; its values are read before anything is waited for. */
  redactor: () => Promise<Redactor>;
  events: Pick<RequestEvents, 'emitChanged'>;
  /** Somebody holds a connection open for the answer of this request, so no wake is needed. */
  hasWaiter: (requestId: string) => boolean;
  /** Told without asking: a run was stopped because it misused a secret. */
  notice: (text: string) => void;
  isPaused: () => boolean;
  concurrentRuns: () => number;
  concurrentRunsPerAgent: () => number;
  /** Memory that all runs together may be given, MiB. */
  memoryBudgetMb: () => number;
  clock: Clock;
  random: (bytes: number) => Uint8Array;
  log: Log;
}>;

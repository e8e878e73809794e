import type { Clock } from '../core/clock.ts';
import type { EgressDoor } from '../core/door.ts';
import type { HostRule } from '../core/host.ts';
import type { Log } from '../core/log.ts';
import type { EgressRecord, Records } from '../core/records.ts';
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

/** One secret of a run as the gateway is told: what the code holds, what it stands for, where it may go. */
export type RunSecret = Readonly<{
  secretId: string;
  name: string;
  placeholder: string;
  value: string;
  hosts: readonly HostRule[];
  headers: readonly string[];
  query: readonly string[];
  path: boolean;
}>;

/** A placeholder stood where no secret belongs. */
export type Tripped = Readonly<{
  secrets: readonly Readonly<{ secretId: string; name: string }>[];
  method: string;
  host: string;
  port: number;
  where: 'url' | 'header';
  header: string | null;
}>;

/** What was approved, as the gateway takes it for the life of one run. */
export type RunEgressSpec = Readonly<{
  runId: string;
  rules: readonly HostRule[];
  secrets: readonly RunSecret[];
  limits: Readonly<{
    maxRequests: number;
    maxConcurrent: number;
    maxBytesIn: number;
    maxBytesOut: number;
    requestTimeoutMs: number;
  }>;
  redactor: Redactor;
  onTripwire: (event: Tripped) => void;
}>;

/** The way out of one run. `close` cuts what is open; `records` are complete after it. */
export type RunEgress = EgressDoor &
  Readonly<{ records: readonly Omit<EgressRecord, 'requestId'>[] }> & { close(): void };

export type SchedulerDeps = Readonly<{
  records: RunRecords;
  backends: readonly Backend[];
  openEgress: (spec: RunEgressSpec) => RunEgress;
  vault: Readonly<{
    isUnlocked(): boolean;
    /** The value with the version that it has; null for a secret that is gone. Throws when it cannot be opened. */
    value(secretId: string): Readonly<{ version: number; value: string }> | null;
  }>;
  /** Knows every secret of the vault as it is now. */
  redactor: () => Redactor;
  events: Pick<RequestEvents, 'emitChanged'>;
  /** Somebody holds a connection open for the answer of this request, so no wake is needed. */
  hasWaiter: (requestId: string) => boolean;
  /** Told without asking: a run was stopped because it misused a secret. */
  notice: (text: string) => void;
  isPaused: () => boolean;
  concurrentRuns: () => number;
  /** Memory that all runs together may be given, MiB. */
  memoryBudgetMb: number;
  clock: Clock;
  random: (bytes: number) => Uint8Array;
  log: Log;
}>;

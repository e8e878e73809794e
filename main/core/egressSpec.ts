import type { EgressDoor } from './door.ts';
import type { HostRule } from './host.ts';
import type { EgressRecord } from './records.ts';
import type { Redactor } from './redaction.ts';

/** One secret of a run as the gateway is told: what the code holds, what it stands for, and where it may go. */
export type EgressSecret = Readonly<{
  secretId: string;
  name: string;
  placeholder: string;
  value: string;
  /** Bound hosts. Empty: it goes nowhere. */
  hosts: readonly HostRule[];
  /** Header names besides `authorization` and the well-known ones of the host. */
  headers: readonly string[];
  /** Query parameters that may carry it, because the owner said so. */
  query: readonly string[];
  /** True when the owner let it stand in the path. */
  path: boolean;
  /** RFC 6901 pointers to the strings of a JSON body that may carry it. */
  json: readonly string[];
  /** Names of the fields of an URL-encoded form that may carry it. */
  form: readonly string[];
}>;

/** Bounds of one run, all inclusive. Bytes are bodies and what passes through WebSockets, all together. */
export type EgressLimits = Readonly<{
  maxRequests: number;
  maxConcurrent: number;
  /** Bytes received, also after unpacking. */
  maxBytesIn: number;
  maxBytesOut: number;
  /** One exchange from the judged request to the last byte of its answer. */
  requestTimeoutMs: number;
}>;

/** A placeholder stood where no secret belongs. The run has to be stopped and its trust suspended. */
export type Tripwire = Readonly<{
  secrets: readonly Readonly<{ secretId: string; name: string }>[];
  method: string;
  host: string;
  port: number;
  where: 'url' | 'header';
  /** Lower-case name of the header, null for the URL. */
  header: string | null;
}>;

/** What was approved, fixed for the life of one run: later edits of policy or vault do not touch it. */
export type EgressSpec = Readonly<{
  runId: string;
  /** Hosts that may be called. Empty: none. */
  rules: readonly HostRule[];
  secrets: readonly EgressSecret[];
  /** Hosts that a secret of the run is bound to, however it is delivered. No WebSocket is opened to them. */
  boundHosts: readonly HostRule[];
  limits: EgressLimits;
  redactor: Redactor;
  onTripwire: (event: Tripwire) => void;
}>;

/** One finished or refused exchange; the caller adds the request it belongs to. */
export type ExchangeRecord = Omit<EgressRecord, 'requestId'>;

/** The way out of one run. `close` cuts what is open; `records` are complete after it. */
export interface RunEgress extends EgressDoor {
  readonly records: readonly ExchangeRecord[];
  close(): void;
}

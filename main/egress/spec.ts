import type { HostRule } from '../core/host.ts';
import type { EgressRecord } from '../core/records.ts';
import type { RedactionStream } from '../core/redaction.ts';

/** One secret of a run as the gateway needs it: what the code holds, what it stands for, and where it may go. */
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
  query?: readonly string[];
  /** True when the owner let it stand in the path. */
  path?: boolean;
}>;

/** Bounds of one run, all inclusive. Bytes are bodies only, all requests together. */
export type EgressLimits = Readonly<{
  maxRequests: number;
  maxConcurrent: number;
  /** Bytes received, also after unpacking. */
  maxBytesIn: number;
  maxBytesOut: number;
  /** One exchange from the judged request to the last byte of its answer. */
  requestTimeoutMs: number;
}>;

/** What the gateway uses of a `Redactor`. */
export type ResponseRedactor = Readonly<{
  text(text: string): string;
  bytes(bytes: Uint8Array): Uint8Array;
  stream(): Pick<RedactionStream, 'push' | 'end'>;
}>;

/** One finished or refused exchange; the caller adds the request it belongs to. */
export type ExchangeRecord = Omit<EgressRecord, 'requestId'>;

/** A placeholder stood where no secret belongs. The run has to be stopped and its trust suspended. */
export type EgressTripwire = Readonly<{
  runId: string;
  at: number;
  secrets: readonly Readonly<{ secretId: string; name: string }>[];
  method: string;
  host: string;
  port: number;
  where: 'url' | 'header';
  /** Lower-case name of the header, null for the URL. */
  header: string | null;
}>;

/** What was approved, fixed for the life of the session: later edits of policy or vault do not touch it. */
export type EgressSessionSpec = Readonly<{
  runId: string;
  /** Hosts that may be called. Empty: none. */
  rules: readonly HostRule[];
  secrets: readonly EgressSecret[];
  limits: EgressLimits;
  redactor: ResponseRedactor;
  /** Called once for each exchange when it is over, and once for each refusal. */
  onRecord?: (record: ExchangeRecord) => void;
  onTripwire?: (event: EgressTripwire) => void;
}>;

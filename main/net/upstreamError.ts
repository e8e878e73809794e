export type UpstreamErrorCode =
  | 'upstream_tls'
  | 'upstream_unreachable'
  | 'upstream_timeout'
  | 'upstream_protocol'
  | 'upstream_too_large'
  | 'aborted';

/** The upstream, or the way there, failed. `message` is ours alone: it never quotes what the upstream sent. */
export class UpstreamError extends Error {
  readonly code: UpstreamErrorCode;

  constructor(code: UpstreamErrorCode, message: string) {
    super(message);
    this.name = 'UpstreamError';
    this.code = code;
  }
}

/** Node's own code of an error (`ECONNREFUSED`, `CERT_HAS_EXPIRED`), or its class name: safe to show, unlike its message. */
export function errorCodeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** An abort's reason as an UpstreamError. */
export function abortReason(signal: AbortSignal): UpstreamError {
  return signal.reason instanceof UpstreamError
    ? signal.reason
    : new UpstreamError('aborted', 'The request was aborted');
}

/**
 * Every error that crosses a border has a code from this table. The bridge sends the status; IPC and the control
 * socket send the same envelope. `hint` tells the reader what to do next.
 */
export const errorStatus = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden_origin: 403,
  forbidden_host: 403,
  agent_paused: 403,
  pairing_closed: 403,
  no_grant: 403,
  not_found: 404,
  idempotency_conflict: 409,
  already_decided: 409,
  /** Owner side: what was shown is not what is stored any more; look again. */
  card_changed: 409,
  /** Owner side: the card cannot be approved yet (secret missing, binding not confirmed, still arming). */
  card_blocked: 409,
  already_exists: 409,
  too_large: 413,
  unsupported_media_type: 415,
  source_unavailable: 422,
  rate_limited: 429,
  grant_used_up: 429,
  internal: 500,
  vault_locked: 503,
  sandbox_unavailable: 503,
  paused: 503,
  storage_unavailable: 503,
  wrong_passphrase: 403,
} as const;

export type ErrorCode = keyof typeof errorStatus;

export type ErrorBody = Readonly<{
  status: 'error';
  error: Readonly<{ code: ErrorCode; message: string; hint?: string; details?: unknown }>;
  request_id?: string;
}>;

export type ErrorExtras = Readonly<{
  hint?: string;
  details?: unknown;
  requestId?: string;
  retryAfterSeconds?: number;
}>;

/** The one error class for refusals that a caller can act on. Anything else that is thrown is a defect (`internal`). */
export class CodedError extends Error {
  readonly code: ErrorCode;
  readonly extras: ErrorExtras;

  constructor(code: ErrorCode, message: string, extras: ErrorExtras = {}) {
    super(message);
    this.name = 'CodedError';
    this.code = code;
    this.extras = extras;
  }
}

/** The envelope of INTERFACES 1. */
export function errorBody(error: CodedError): ErrorBody {
  const { hint, details, requestId } = error.extras;
  return {
    status: 'error',
    error: {
      code: error.code,
      message: error.message,
      ...(hint === undefined ? {} : { hint }),
      ...(details === undefined ? {} : { details }),
    },
    ...(requestId === undefined ? {} : { request_id: requestId }),
  };
}

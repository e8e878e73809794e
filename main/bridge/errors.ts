import type { z } from 'zod';
import { MAX_BODY_BYTES } from '../../contract/bridge.ts';
import { CodedError } from '../../contract/errors.ts';
import { plainWords } from '../../contract/plainWords.ts';
import type { Log } from '../core/log.ts';

const maxDetails = 20;
const maxPathLength = 200;

/** Parses with a schema of the contract. Throws CodedError `invalid_request` with paths and reasons, never with values. */
export function validated<Output>(schema: z.ZodType<Output>, value: unknown): Output {
  const parsed = schema.safeParse(value, { error: plainWords });
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.slice(0, maxDetails).map((issue) => ({
    path: issue.path.map(String).join('.').slice(0, maxPathLength),
    message: issue.message.slice(0, maxPathLength),
  }));
  const [first] = details;
  const where = first === undefined || first.path === '' ? '' : `${first.path}: `;
  throw new CodedError('invalid_request', `${where}${first?.message ?? 'not valid'}`, { details });
}

export function mediaTypeError(): CodedError {
  return new CodedError('unsupported_media_type', 'Only uncompressed application/json in UTF-8 is accepted', {
    hint: 'Send the header Content-Type: application/json',
  });
}

export function notFoundError(): CodedError {
  return new CodedError('not_found', 'There is no such route', { hint: 'The routes are in the README.' });
}

/** Whatever was thrown on the way, as something that can be answered. What is nobody's fault but ours is logged. */
export function toCodedError(error: unknown, log: Log): CodedError {
  if (error instanceof CodedError) return error;
  switch (codeOf(error)) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new CodedError('too_large', `The body is larger than ${MAX_BODY_BYTES / 1024 / 1024} MiB`);
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return mediaTypeError();
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new CodedError('invalid_request', 'The request cannot be read');
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return notFoundError();
    case 'ECONNRESET':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return new CodedError('invalid_request', 'The connection ended before the request did');
    default:
      log.error({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'a route failed');
      return new CodedError('internal', 'Something went wrong on our side; nothing was run because of it');
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

import { type ExecuteBody, MAX_CODE_BYTES } from '../../contract/bridge.ts';
import { CodedError } from '../../contract/errors.ts';
import { readSkillUrl } from '../core/requestPlan.ts';
import { FetchTextError, type FetchTextErrorCode } from '../net/fetchText.ts';
import type { FetchSource } from './ports.ts';

/** Code to run: exact bytes, and the same as text. */
export type SourceCode = Readonly<{ bytes: Uint8Array; text: string }>;

/**
 * The code of a request, whose text is known to be valid Unicode: given, else fetched from `skill_url`. Throws
 * CodedError `invalid_request`, `too_large`, `source_unavailable`.
 */
export async function findCode(
  body: Pick<ExecuteBody, 'code' | 'skill_url'>,
  fetchSource: FetchSource,
): Promise<SourceCode> {
  if (body.code !== undefined) return givenCode(body.code);
  if (body.skill_url !== undefined) return fetchedCode(body.skill_url, fetchSource);
  throw new CodedError('invalid_request', 'There is no code for this skill', {
    hint: 'Send the code in `code`, or its https address in `skill_url`.',
  });
}

function givenCode(text: string): SourceCode {
  return { bytes: withinLimit(Buffer.from(text, 'utf8')), text };
}

async function fetchedCode(url: string, fetchSource: FetchSource): Promise<SourceCode> {
  const bytes = withinLimit(await fetchSource(readSkillUrl(url)).catch(refuseSource));
  if (bytes.byteLength === 0) throw new CodedError('source_unavailable', 'skill_url: the file is empty');
  try {
    // The bytes are what counts; a byte order mark stays what it is.
    return { bytes, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    throw new CodedError('source_unavailable', 'skill_url: the file is not valid UTF-8 text');
  }
}

function withinLimit(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength <= MAX_CODE_BYTES) return bytes;
  throw new CodedError('too_large', `code: at most ${MAX_CODE_BYTES / 1024} KiB`);
}

// Whether a name exists or leads to a private address is one answer: an agent must not map our network this way.
const unreachable = 'it cannot be reached';
const reasons: Readonly<Record<FetchTextErrorCode, string>> = {
  url_invalid: 'it is not a plain https URL',
  not_https: 'only https is fetched',
  address_refused: unreachable,
  dns_failed: unreachable,
  unreachable,
  too_many_redirects: 'it redirects too often',
  bad_status: 'it did not answer with status 200',
  too_large: 'it is larger than 1 MiB',
  encoding_refused: 'it came compressed',
  timeout: 'it did not answer in time',
};

function refuseSource(error: unknown): never {
  if (!(error instanceof FetchTextError)) throw error;
  throw new CodedError('source_unavailable', `skill_url: ${reasons[error.code]}`, {
    hint: 'Check the address, or send the code itself in `code`.',
  });
}

import { type ExecuteBody, MAX_CODE_BYTES } from '../../contract/bridge.ts';
import { CodedError } from '../../contract/errors.ts';
import { readSkillUrl } from '../core/requestPlan.ts';
import { FetchTextError, type FetchTextErrorCode } from '../net/fetchText.ts';
import type { FetchSource } from './ports.ts';

/** Code to run: exact bytes, and the same as text. `fetchedFrom` is the host that sent it; null: it was in the body. */
export type SourceCode = Readonly<{ bytes: Uint8Array; text: string; fetchedFrom: string | null }>;

/** What became of one fetch, for the audit: hosts only, since a path or a query can carry a secret. */
export type SourceFetch = Readonly<{
  host: string;
  outcome: 'ok' | FetchTextErrorCode | 'empty' | 'not_text' | 'failed';
  /** Set when a file came. */
  bytes?: number;
  /** Set when redirects led to another host. */
  sent_by?: string;
}>;

export type CodeSource = Readonly<{
  fetchSource: FetchSource;
  /** Called once for every fetch, before its outcome is used; what it throws ends the request. */
  onFetch: (fetch: SourceFetch) => void;
}>;

/**
 * The code of a request, whose text is known to be valid Unicode: given, else fetched from `skill_url`. Throws
 * CodedError `invalid_request`, `too_large`, `source_unavailable`.
 */
export async function findCode(body: Pick<ExecuteBody, 'code' | 'skill_url'>, source: CodeSource): Promise<SourceCode> {
  if (body.code !== undefined) return givenCode(body.code);
  if (body.skill_url !== undefined) return fetchedCode(readSkillUrl(body.skill_url), source);
  throw new CodedError('invalid_request', 'There is no code for this skill', {
    hint: 'Send the code in `code`, or its https address in `skill_url`.',
  });
}

function givenCode(text: string): SourceCode {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.byteLength > MAX_CODE_BYTES) throw tooLarge();
  return { bytes, text, fetchedFrom: null };
}

async function fetchedCode(url: string, { fetchSource, onFetch }: CodeSource): Promise<SourceCode> {
  const host = hostOf(url);
  const file = await fetchSource(url).catch((error: unknown) => {
    onFetch({ host, outcome: error instanceof FetchTextError ? error.code : 'failed' });
    throw error instanceof FetchTextError ? unavailable(reasons[error.code]) : error;
  });
  const sender = hostOf(file.finalUrl);
  const read = readFile(file.bytes);
  onFetch({
    host,
    outcome: read.outcome,
    bytes: file.bytes.byteLength,
    ...(sender !== host && { sent_by: sender }),
  });
  if (read.outcome !== 'ok') throw read.refusal;
  return { bytes: file.bytes, text: read.text, fetchedFrom: sender };
}

type Read =
  | Readonly<{ outcome: 'ok'; text: string }>
  | Readonly<{ outcome: 'too_large' | 'empty' | 'not_text'; refusal: CodedError }>;

function readFile(bytes: Uint8Array): Read {
  if (bytes.byteLength > MAX_CODE_BYTES) return { outcome: 'too_large', refusal: tooLarge() };
  if (bytes.byteLength === 0) return { outcome: 'empty', refusal: unavailable('the file is empty') };
  try {
    // The bytes are what counts; a byte order mark stays what it is.
    return { outcome: 'ok', text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { outcome: 'not_text', refusal: unavailable('the file is not valid UTF-8 text') };
  }
}

function hostOf(url: string): string {
  return new URL(url).host;
}

function tooLarge(): CodedError {
  return new CodedError('too_large', `code: at most ${MAX_CODE_BYTES / 1024} KiB`);
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

function unavailable(reason: string): CodedError {
  return new CodedError('source_unavailable', `skill_url: ${reason}`, {
    hint: 'Check the address, or send the code itself in `code`.',
  });
}

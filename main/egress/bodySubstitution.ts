import type { DoorRequest } from '../core/door.ts';
import type { EgressSecret } from '../core/egressSpec.ts';
import { matchesAny } from '../core/host.ts';
import { parseJsonPointer } from '../core/jsonPointer.ts';
import { JsonTextError, jsonFields } from './bodyJson.ts';
import { wholeBody } from './bodyWhole.ts';
import { percentDecoded } from './placeholderSet.ts';
import { Refusal } from './refusal.ts';
import { type Release, releasing, type SwapContext } from './substitution.ts';

type BodyKind = 'json' | 'form';

/** A body with the values in its fields, everything else byte for byte as the code wrote it. */
export type FilledBody = Readonly<{
  bytes: Uint8Array;
  /** Bytes that the code wrote. */
  size: number;
  /** Names of the secrets that went in. */
  used: readonly string[];
}>;

type BodyContext = SwapContext & Readonly<{ headers: ReadonlyMap<string, string> }>;
type Swap = (text: string, hasPlace: (secret: EgressSecret) => boolean, encode: (value: string) => string) => string;

const maxBytes = 1024 * 1024;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const jsonType = /^(?:(?:application|text)\/json|[a-z]+\/[a-z0-9!#$&^_.+-]+\+json)$/;

/** What kind of fields a body has, by what its sender says of it; null for packed ones and for every other kind. */
function bodyKind(headers: ReadonlyMap<string, string>): BodyKind | null {
  if ((headers.get('content-encoding') ?? 'identity').toLowerCase() !== 'identity') return null;
  const [type = '', ...parameters] = (headers.get('content-type') ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charsets = parameters.filter((parameter) => parameter.startsWith('charset'));
  if (charsets.some((charset) => !/^charset="?utf-8"?$/.test(charset))) return null;
  if (type === 'application/x-www-form-urlencoded') return 'form';
  return jsonType.test(type) ? 'json' : null;
}

function decoded(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Refusal('body_unreadable', 'not_utf8');
  }
}

/** The text of a JSON document with the values in the strings that pointers lead to. */
function fillJson(text: string, pointers: ReadonlySet<string>, swap: Swap): string {
  const byTokens = new Map(
    [...pointers].flatMap((written) => {
      const pointer = parseJsonPointer(written);
      return pointer === null ? [] : [[pointer, written] as const];
    }),
  );
  const parts: string[] = [];
  let done = 0;
  for (const { pointer, start, end } of jsonFields(text, [...byTokens.keys()])) {
    const written = byTokens.get(pointer) ?? '';
    // An escape is one character: a stand-in does not begin inside it, and a value must not end up behind its backslash.
    const filled = text.slice(start, end).replace(/\\(?:u.{4}|.)|[^\\]+/gs, (piece) =>
      swap(
        piece,
        ({ json }) => json.includes(written),
        (value) => JSON.stringify(value).slice(1, -1),
      ),
    );
    parts.push(text.slice(done, start), filled);
    done = end;
  }
  return parts.join('') + text.slice(done);
}

/** A name as a server reads it (WHATWG URL, section 5.1), from text that holds one byte a character. */
const formName = (text: string): string =>
  Buffer.from(percentDecoded(text.replaceAll('+', ' ')), 'latin1').toString('utf8');

/** The text of an URL-encoded form with the values in the fields of their names. */
function fillForm(text: string, swap: Swap): string {
  return text
    .split('&')
    .map((field) => {
      const equals = field.indexOf('=');
      // Where a semicolon ends a field is not agreed on: nothing goes in where it would matter.
      if (equals < 0 || field.includes(';')) return field;
      const name = formName(field.slice(0, equals));
      const value = swap(field.slice(equals + 1), ({ form }) => form.includes(name), encodeURIComponent);
      return `${field.slice(0, equals)}=${value}`;
    })
    .join('&');
}

function filledBytes(kind: BodyKind, body: Uint8Array, secrets: readonly EgressSecret[], swap: Swap): Uint8Array {
  if (kind === 'form') return Buffer.from(fillForm(Buffer.from(body).toString('latin1'), swap), 'latin1');
  try {
    return Buffer.from(fillJson(decoded(body), new Set(secrets.flatMap(({ json }) => json)), swap));
  } catch (error) {
    throw error instanceof JsonTextError ? new Refusal('body_unreadable', error.reason) : error;
  }
}

function swapping(secrets: readonly EgressSecret[], { placeholders }: BodyContext, release: Release): Swap {
  return (text, hasPlace, encode) =>
    placeholders.swap(text, (secret) =>
      secrets.includes(secret) && hasPlace(secret) ? encode(release(secret)) : secret.placeholder,
    );
}

/**
 * Puts the real values into the fields of a body that the owner named, towards bound hosts only. Null when no secret may
 * stand in a body of this kind towards this host: then it was not read. A stand-in anywhere else in a body stays what it
 * is. Throws Refusal, and UpstreamError for a body that breaks off.
 */
export async function fillBody(
  request: Pick<DoorRequest, 'body' | 'bodyLength'>,
  context: BodyContext,
  bounds: Readonly<{ signal: AbortSignal; timeoutMs: number }>,
): Promise<FilledBody | null> {
  const { url, placeholders, headers } = context;
  const kind = request.body === null ? null : bodyKind(headers);
  if (kind === null) return null;
  const secrets = placeholders.secrets.filter(
    (secret) => secret[kind].length > 0 && matchesAny(secret.hosts, url.host, url.port),
  );
  if (secrets.length === 0) return null;
  const body = await wholeBody(request, { ...bounds, maxBytes });
  const size = body.length;
  const view = Buffer.from(body.buffer, body.byteOffset, size);
  const standing = secrets.filter(({ placeholder }) => view.includes(placeholder));
  if (standing.length === 0) return { bytes: body, size, used: [] };
  const { release, used } = releasing(context);
  const bytes = filledBytes(kind, body, standing, swapping(standing, context, release));
  return { bytes, size, used: [...used] };
}

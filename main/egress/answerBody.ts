import { pipeline, Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import type { HeaderPair } from '../core/door.ts';
import type { Redactor } from '../core/redaction.ts';
import { gathered } from './gathered.ts';
import { Refusal } from './refusal.ts';

/** How the answer is packed. `identity` is not. */
export type AnswerEncoding = 'identity' | 'gzip' | 'deflate' | 'br';

const encodings: Readonly<Record<string, AnswerEncoding>> = {
  '': 'identity',
  identity: 'identity',
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  br: 'br',
};

const joined = (headers: readonly HeaderPair[], wanted: string): string =>
  headers
    .filter(([name]) => name.toLowerCase() === wanted)
    .map(([, text]) => text.trim().toLowerCase())
    .join(',');

/** RFC 9112, section 7: the chunks are taken off for us, and what is packed within them or instead of them is not. */
const plainTransfer: ReadonlySet<string> = new Set(['', 'chunked', 'identity']);

/** Reads both codings of an answer. Throws Refusal for what we cannot unpack, and for several at once: it could hide a secret. */
export function encodingOf(headers: readonly HeaderPair[]): AnswerEncoding {
  if (!plainTransfer.has(joined(headers, 'transfer-encoding'))) throw new Refusal('encoding_refused');
  const value = joined(headers, 'content-encoding');
  const encoding = Object.hasOwn(encodings, value) ? encodings[value] : undefined;
  if (encoding === undefined) throw new Refusal('encoding_refused');
  return encoding;
}

async function* prefixed(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** `deflate` means zlib (RFC 9110, section 8.4.1.2), but some servers send it without its two header bytes. */
function unpackerFor(encoding: Exclude<AnswerEncoding, 'identity'>, first: Uint8Array): Transform {
  if (encoding === 'gzip') return createGunzip();
  if (encoding === 'br') return createBrotliDecompress();
  return ((first[0] ?? 0) & 0x0f) === 8 ? createInflate() : createInflateRaw();
}

async function* unpacked(body: AsyncIterable<Uint8Array>, encoding: AnswerEncoding): AsyncGenerator<Uint8Array> {
  if (encoding === 'identity') {
    yield* body;
    return;
  }
  const chunks = body[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done === true) return;
  const unpacker = unpackerFor(encoding, first.value);
  // Destroys both ends when either fails or the reader leaves; the error arrives through the iteration below.
  pipeline(Readable.from(prefixed(first.value, chunks)), unpacker, () => {});
  yield* unpacker;
}

/**
 * The body as the code may see it: unpacked, counted, redacted. `count` is called with the size of each unpacked chunk
 * and throws when it is too much. Bytes are held back only while they may be part of a secret.
 */
export async function* answerBody(
  body: AsyncIterable<Uint8Array>,
  encoding: AnswerEncoding,
  redactor: Redactor,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const redaction = redactor.stream();
  for await (const chunk of gathered(unpacked(body, encoding))) {
    count(chunk.length);
    const settled = redaction.push(chunk);
    if (settled.length > 0) yield settled;
  }
  const rest = redaction.end();
  if (rest.length > 0) yield rest;
}

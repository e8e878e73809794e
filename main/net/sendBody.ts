import type { ClientRequest } from 'node:http';
import { abortReason, UpstreamError } from './upstreamError.ts';

export type UpstreamBody = Uint8Array | AsyncIterable<Uint8Array> | null;

/** What is sent; a body in pieces may say how long it is. */
export type SizedBody = Readonly<{ body: UpstreamBody; bodyLength?: number }>;

/** Rejects with the reason as soon as the signal fires; `release` forgets about it. */
function untilAborted(signal: AbortSignal): Readonly<{ promise: Promise<never>; release: () => void }> {
  let release = (): void => {};
  const promise = new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => reject(abortReason(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    release = () => signal.removeEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
  promise.catch(() => {});
  return { promise, release };
}

/** Resolves when more may be written or when nothing can be any more. */
function drained(outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('drain', done).off('close', done).off('error', done);
      resolve();
    };
    outgoing.on('drain', done).on('close', done).on('error', done);
    if (outgoing.destroyed) done();
  });
}

/**
 * Writes the body no faster than the upstream takes it. Stops when the signal fires, also while the source is silent,
 * and tells the source. Throws UpstreamError `aborted` when the source breaks, or the signal's reason; a connection
 * that breaks is reported by `outgoing` itself.
 */
export async function sendBody(
  outgoing: ClientRequest,
  { body, bodyLength }: SizedBody,
  signal: AbortSignal,
): Promise<void> {
  if (body === null || body instanceof Uint8Array) {
    outgoing.end(body ?? undefined);
    return;
  }
  const aborted = untilAborted(signal);
  const chunks = body[Symbol.asyncIterator]();
  // Bytes over or short would be read as the next request, or waited for (ATTACKS B35): never sent.
  let left = bodyLength ?? Number.POSITIVE_INFINITY;
  try {
    while (!outgoing.destroyed) {
      const next = await Promise.race([chunks.next(), aborted.promise]);
      if (next.done === true) {
        if (bodyLength !== undefined && left !== 0) throw new UpstreamError('aborted', 'The request body is too short');
        outgoing.end();
        return;
      }
      left -= next.value.length;
      if (left < 0) throw new UpstreamError('aborted', 'The request body is too long');
      // An empty chunk would be the last one (RFC 9112, section 7.1).
      if (next.value.length > 0 && !outgoing.write(next.value)) {
        await Promise.race([drained(outgoing), aborted.promise]);
      }
    }
  } catch (error) {
    throw error instanceof UpstreamError ? error : new UpstreamError('aborted', 'The request body broke off');
  } finally {
    aborted.release();
    Promise.resolve(chunks.return?.()).catch(() => {});
  }
}

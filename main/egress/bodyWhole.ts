import type { DoorRequest } from '../core/door.ts';
import { UpstreamError } from '../net/upstreamError.ts';
import { Refusal } from './refusal.ts';

export type WholeBodyBounds = Readonly<{ signal: AbortSignal; timeoutMs: number; maxBytes: number }>;

const asCause = (error: unknown): unknown =>
  error instanceof UpstreamError || error instanceof Refusal
    ? error
    : new UpstreamError('aborted', 'The request body broke off');

/** A promise that only ever rejects: when the signal fires or the time is over. `release` forgets about both. */
function stopping({ signal, timeoutMs }: WholeBodyBounds): Readonly<{ promise: Promise<never>; release: () => void }> {
  let release = (): void => {};
  const promise = new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => reject(new UpstreamError('aborted', 'The request was aborted'));
    const onTime = (): void => reject(new UpstreamError('upstream_timeout', 'The request body did not come in time'));
    const timer = setTimeout(onTime, timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    release = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    if (signal.aborted) onAbort();
  });
  promise.catch(() => {});
  return { promise, release };
}

/**
 * All bytes of a body. Throws Refusal `body_too_large` as soon as there are more than `maxBytes`, and UpstreamError as a
 * body in pieces would on its way out: when it breaks off, has not the length that was said, or is given up.
 */
export async function wholeBody(
  { body, bodyLength }: Pick<DoorRequest, 'body' | 'bodyLength'>,
  bounds: WholeBodyBounds,
): Promise<Uint8Array> {
  const tooLarge = new Refusal('body_too_large', `${bounds.maxBytes} bytes`);
  const said = body instanceof Uint8Array ? body.length : (bodyLength ?? 0);
  if (said > bounds.maxBytes) throw tooLarge;
  if (body === null || body instanceof Uint8Array) return body ?? new Uint8Array();
  const pieces: Uint8Array[] = [];
  let size = 0;
  const stop = stopping(bounds);
  const source = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([source.next(), stop.promise]);
      if (next.done === true) break;
      pieces.push(next.value);
      size += next.value.length;
      if (size > bounds.maxBytes) throw tooLarge;
    }
  } catch (error) {
    throw asCause(error);
  } finally {
    stop.release();
    // A source that waits cannot be left before it wakes up: nobody waits for it here.
    Promise.resolve(source.return?.()).catch(() => {});
  }
  if (size !== (bodyLength ?? size)) throw new UpstreamError('aborted', 'The request body has not the length it said');
  return Buffer.concat(pieces);
}

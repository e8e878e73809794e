import type { ServerHttp2Stream } from 'node:http2';

/**
 * Makes a stream that is destroyed before it was ended reset with a code. Node resets it with NO_ERROR when no error is
 * given, the other side takes that for a regular end, and what was cut would look complete to the code.
 */
export function resetWhenCut(stream: ServerHttp2Stream): ServerHttp2Stream {
  const { destroy } = stream;
  const cut = (error?: Error): unknown => {
    const reason = error ?? (stream.writableFinished ? undefined : new Error('it was cut'));
    return Reflect.apply(destroy, stream, [reason]);
  };
  return Object.defineProperty(stream, 'destroy', { value: cut });
}

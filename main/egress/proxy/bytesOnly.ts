import type { Duplex } from 'node:stream';

/**
 * Makes a stream take what is written to it as bytes, and nothing empty. Node's HTTP server writes strings and, last, an
 * empty one. On an HTTP/2 stream (Node 20 to 24) a write that ends empty counts as done before it is sent, and its
 * strings are freed: the sandbox then got the first bytes of an answer from freed memory of the host.
 */
export function bytesOnly(stream: Duplex): void {
  const { write } = stream;
  const writeBytes = (chunk: unknown, ...rest: readonly unknown[]): unknown => {
    const [encoding] = rest;
    const known = typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : 'utf8';
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, known) : chunk;
    const done = rest.find((argument) => typeof argument === 'function');
    if (bytes instanceof Uint8Array && bytes.length === 0) {
      if (typeof done === 'function') process.nextTick(done);
      return !stream.writableNeedDrain;
    }
    return Reflect.apply(write, stream, done === undefined ? [bytes] : [bytes, done]);
  };
  Object.defineProperty(stream, 'write', { value: writeBytes });
}

import { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** Arrived and not yet taken, bytes. HTTP/2 windows stop the host far below it. */
const MAX_UNREAD = 8 << 20;

export type Stdio = Readonly<{ input: Socket; output: Socket }>;

/**
 * Takes stdin and stdout as pipes. As sockets, because writes to `process.stdout` block the whole program while the
 * host does not read. From here on whatever prints prints to stderr: stdout belongs to the tunnel.
 */
export const takeStdio = (): Stdio => {
  Object.defineProperty(process, 'stdout', { get: () => process.stderr });
  return {
    input: new Socket({ fd: 0, readable: true, writable: false }),
    output: new Socket({ fd: 1, readable: false, writable: true }),
  };
};

/** Waits until exactly `greeting` has come in, in whatever pieces; resolves with what came after it. */
export const awaitGreeting = (input: Socket, greeting: string): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const expected = Buffer.from(greeting);
    let received = Buffer.alloc(0);
    const take = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      const start = received.subarray(0, expected.length);
      if (!start.equals(expected.subarray(0, start.length))) reject(new Error('the host sent a wrong greeting'));
      else if (start.length === expected.length) {
        input.off('data', take);
        input.pause();
        resolve(received.subarray(expected.length));
      }
    };
    input.on('data', take);
  });

/**
 * Stdin and stdout as the one connection that HTTP/2 wants. Stdin is read on even while a write waits for the host:
 * its end is how the runner learns that the host is gone.
 */
export class StdioConnection extends Duplex {
  readonly #input: Socket;
  readonly #output: Socket;

  constructor({ input, output }: Stdio, alreadyRead: Buffer) {
    super();
    this.#input = input;
    this.#output = output;
    if (alreadyRead.length > 0) this.push(alreadyRead);
    input.on('data', (chunk: Buffer) => {
      if (!this.push(chunk) && this.readableLength > MAX_UNREAD) input.pause();
    });
    input.resume();
  }

  override _read(): void {
    this.#input.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#output.write(chunk, done);
  }

  override _writev(chunks: readonly Readonly<{ chunk: Buffer }>[], done: (error?: Error | null) => void): void {
    this.#output.cork();
    chunks.forEach(({ chunk }, index) => {
      if (index < chunks.length - 1) this.#output.write(chunk);
      else this.#output.write(chunk, done);
    });
    this.#output.uncork();
  }
}

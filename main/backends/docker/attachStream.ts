import { Duplex } from 'node:stream';

const headBytes = 8;
/** The engine copies in pieces of 32 KiB; a length beyond this is no frame of an engine. */
const maxFrameBytes = 16 * 1024 * 1024;
const keptStderrBytes = 2048;

/** First byte of a frame; 2 is stderr. */
const stdoutFrame = 1;
/** The engine itself has something to say (a container that could not be attached). */
const engineFrame = 3;

/**
 * The raw connection of an attach as a stream: reading gives what the container writes to stdout, writing goes to its
 * stdin. The engine puts eight bytes before each piece: a kind, three zeros and the length. Pieces are passed on as they
 * come, so a length costs nothing; what is not read stays in the connection.
 */
export class AttachStream extends Duplex {
  readonly #socket: Duplex;
  readonly #head = Buffer.alloc(headBytes);
  #headFill = 0;
  #kind = 0;
  #bodyLeft = 0;
  #stderr: Buffer = Buffer.alloc(0);

  constructor(socket: Duplex) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
    socket.pause();
  }

  /** The last that came on stderr: why a container could not start. Text of the sandbox, not to be believed. */
  get stderrTail(): string {
    return this.#stderr.toString('utf8');
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  // What HTTP/2 sends at once goes out at once: a head and its data are two buffers.
  override _writev(chunks: readonly Readonly<{ chunk: Buffer }>[], done: (error?: Error | null) => void): void {
    const last = chunks.length - 1;
    this.#socket.cork();
    for (const [at, { chunk }] of chunks.entries()) this.#socket.write(chunk, at === last ? done : undefined);
    this.#socket.uncork();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #take(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.destroyed) {
      if (this.#bodyLeft === 0) {
        const taken = chunk.copy(this.#head, this.#headFill, at, at + headBytes - this.#headFill);
        this.#headFill += taken;
        at += taken;
        if (this.#headFill === headBytes) this.#begin();
        continue;
      }
      const piece = chunk.subarray(at, at + this.#bodyLeft);
      this.#bodyLeft -= piece.length;
      at += piece.length;
      if (this.#kind === stdoutFrame) {
        if (!this.push(piece)) this.#socket.pause();
      } else {
        this.#stderr = Buffer.concat([this.#stderr, piece]).subarray(-keptStderrBytes);
      }
    }
  }

  #begin(): void {
    this.#headFill = 0;
    this.#kind = this.#head.readUInt8(0);
    this.#bodyLeft = this.#head.readUInt32BE(4);
    const isKnown = this.#kind >= stdoutFrame && this.#kind <= engineFrame && this.#head.readUIntBE(1, 3) === 0;
    if (!isKnown || this.#bodyLeft > maxFrameBytes) {
      this.destroy(new Error('the container engine sent a stream without frames'));
    }
  }
}

import { once } from 'node:events';
import { createServer, type Http2Session, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Duplex, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type RunnerExit, runnerExitSchema } from '../../contract/runner.ts';
import { type RunnerJob, runnerProtocol } from '../../contract/runnerProtocol.ts';

export type RunResult = Readonly<{ exit: RunnerExit; stdout: string; stderr: string }>;

/** A job that runs `command`; what a test does not say is empty. */
export const jobOf = (command: readonly string[], more: Partial<RunnerJob> = {}): RunnerJob => ({
  command,
  env: {},
  cwd: runnerProtocol.jobFolder,
  files: {},
  stdin: '',
  authorityPem: '',
  timeoutMs: 30_000,
  ...more,
});

/** The host's side of one runner, as small as it can be: no limits, no policy. */
export class RunnerHost {
  readonly session: Promise<Http2Session>;
  /** What comes in on connections to the proxy; the default answers nothing. */
  onEgress: (stream: ServerHttp2Stream) => void = (stream) => stream.respond({ ':status': 200 });
  /** Takes output in place of `run`, which then gives empty texts. */
  onOutput: ((stream: ServerHttp2Stream, path: string) => void) | null = null;
  readonly #connection: Duplex;
  readonly #waiting = new Map<string, (stream: ServerHttp2Stream) => void>();
  readonly #arrived = new Map<string, ServerHttp2Stream>();

  constructor(connection: Duplex) {
    this.#connection = connection;
    this.session = this.#open();
    // A test that ends its runner early asks for no session.
    this.session.catch(() => undefined);
  }

  /** Resolves when the runner waits for a job. */
  async ready(): Promise<void> {
    await this.#stream(runnerProtocol.paths.job);
  }

  /** Answers the runner that there is nothing for it. */
  async refuseJob(): Promise<void> {
    (await this.#stream(runnerProtocol.paths.job)).respond({ ':status': 404 }, { endStream: true });
  }

  /** Hands the job over; resolves with how it ended. */
  async run(job: RunnerJob): Promise<RunResult> {
    const { paths } = runnerProtocol;
    const asking = await this.#stream(paths.job);
    asking.respond({ ':status': 200 });
    asking.end(JSON.stringify(job));
    const [stdout, stderr, exit] = await Promise.all([
      this.#output(paths.stdout),
      this.#output(paths.stderr),
      this.#stream(paths.exit).then(buffer),
    ]);
    return { exit: runnerExitSchema.parse(JSON.parse(exit.toString())), stdout, stderr };
  }

  async #output(path: string): Promise<string> {
    const stream = await this.#stream(path);
    if (!this.onOutput) return (await buffer(stream)).toString();
    this.onOutput(stream, path);
    return '';
  }

  async #open(): Promise<Http2Session> {
    await readGreeting(this.#connection);
    this.#connection.write(runnerProtocol.hostGreeting);
    const server = createServer({
      // A job that cuts its connections makes resets; a real host counts them.
      streamResetBurst: 1_000_000,
      streamResetRate: 1_000_000,
      settings: { initialWindowSize: runnerProtocol.streamWindow, maxConcurrentStreams: runnerProtocol.maxStreams },
    });
    server.on('sessionError', () => undefined);
    server.on('stream', (stream, headers) => this.#take(stream, headers));
    const opened = once(server, 'session');
    server.emit('connection', this.#connection);
    const session: Http2Session = (await opened)[0];
    session.setLocalWindowSize(runnerProtocol.sessionWindow);
    return session;
  }

  #take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const path = headers[':path'] ?? '';
    stream.on('error', () => undefined);
    if (path === runnerProtocol.paths.egress) {
      // It may be gone already.
      if (!stream.destroyed) this.onEgress(stream);
      return;
    }
    this.#arrived.set(path, stream);
    this.#waiting.get(path)?.(stream);
  }

  #stream(path: string): Promise<ServerHttp2Stream> {
    const arrived = this.#arrived.get(path);
    return arrived ? Promise.resolve(arrived) : new Promise((resolve) => this.#waiting.set(path, resolve));
  }
}

const readGreeting = async (connection: Readable): Promise<void> => {
  const expected = Buffer.from(runnerProtocol.runnerGreeting);
  let received = Buffer.alloc(0);
  while (received.length < expected.length) {
    const chunk: Buffer | null = connection.read();
    if (chunk) received = Buffer.concat([received, chunk]);
    else await once(connection, 'readable');
  }
  if (!received.subarray(0, expected.length).equals(expected)) throw new Error(`not a greeting: ${received}`);
  connection.unshift(received.subarray(expected.length));
};

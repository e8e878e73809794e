import { createServer, type Http2Session, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { maxRunnerExitBytes, type RunnerExit, runnerExitSchema } from '../../../contract/runner.ts';
import { type RunnerJob, runnerProtocol } from '../../../contract/runnerProtocol.ts';
import type { Clock } from '../../core/clock.ts';
import { TokenBuckets } from '../../core/tokenBucket.ts';
import { awaitGreeting } from './greeting.ts';
import { resetWhenCut } from './resetWhenCut.ts';
import { tunnelLimits, tunnelServerOptions } from './tunnelLimits.ts';

/** `violation`: the sandbox said what a runner does not say. `ended`: it went away before it had told an exit. */
export class TunnelError extends Error {
  readonly code: 'violation' | 'ended';

  constructor(code: 'violation' | 'ended', message: string) {
    super(message);
    this.name = 'TunnelError';
    this.code = code;
  }
}

/** Where what comes out of a run goes. */
export type TunnelSinks = Readonly<{
  stdout: (chunk: Uint8Array) => void;
  stderr: (chunk: Uint8Array) => void;
  /** Takes over one connection of the code to its proxy. Never throws. */
  egress: (connection: Duplex) => void;
}>;

type Given = Readonly<{ sinks: TunnelSinks; resolve: (exit: RunnerExit) => void }>;

const { paths } = runnerProtocol;
const knownPaths: ReadonlySet<string> = new Set(Object.values(paths));

/**
 * The host's end of contract/runnerProtocol.ts over the attached stdio of one container. Everything that comes in is
 * hostile: the first thing that does not fit ends the tunnel, and with it the sandbox.
 */
export class Tunnel {
  /** Resolves when the runner waits for its job. Rejects with TunnelError. */
  readonly ready: Promise<void>;
  /** Resolves with the reason when the tunnel ended otherwise than by `close`. */
  readonly broken: Promise<TunnelError>;
  readonly #connection: Duplex;
  readonly #clock: Clock;
  readonly #buckets = new TokenBuckets();
  readonly #opened = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #isReady: () => void = () => {};
  #isBroken: (error: TunnelError) => void = () => {};
  #session: Http2Session | null = null;
  #asking: ServerHttp2Stream | null = null;
  #given: Given | null = null;
  #refused = 0;
  #outputsEnded = 0;
  #exit: RunnerExit | null = null;
  #isOver = false;

  constructor(connection: Duplex, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
    this.broken = new Promise((resolve) => {
      this.#isBroken = resolve;
    });
    this.ready = new Promise((resolve, reject) => {
      this.#isReady = resolve;
      void this.broken.then(reject);
    });
    this.ready.catch(() => {});
    const { readyWithinMs } = tunnelLimits;
    this.#timer = setTimeout(
      () => this.#violated(`it was not ready within ${readyWithinMs / 1000} seconds`),
      readyWithinMs,
    );
    const gone = (): void => {
      this.#ended();
      this.#cut();
    };
    connection.on('error', gone).on('end', gone).on('close', gone);
    // The first bytes may be long in coming: the container is attached before it is started.
    awaitGreeting(
      connection,
      () => this.#speak(),
      () => this.#violated('its first bytes were not those of a runner'),
    );
  }

  /** Gives the job, once, to a tunnel that is ready. Resolves when exit and all output came; rejects with TunnelError. */
  run(job: RunnerJob, sinks: TunnelSinks): Promise<RunnerExit> {
    return new Promise((resolve, reject) => {
      void this.broken.then(reject);
      const asking = this.#asking;
      if (asking === null || this.#isOver) return;
      this.#asking = null;
      this.#given = { sinks, resolve };
      answer(asking, JSON.stringify(job));
    });
  }

  /** Nothing is passed on any more, and it is cut before long. */
  close(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    // Not at once: this mostly comes while the session reads. Node 24 then still has something to write on a socket that
    // is being shut down, fails an assertion of its own (JSStreamSocket.doWrite), and the app would end.
    setImmediate(() => this.#cut());
  }

  #cut(): void {
    this.#session?.destroy();
    this.#connection.destroy();
  }

  #speak(): void {
    if (this.#isOver) return;
    this.#connection.write(runnerProtocol.hostGreeting);
    const server = createServer(tunnelServerOptions);
    server.on('sessionError', () => this.#ended());
    server.on('session', (session) => this.#watch(session));
    server.on('stream', (stream, headers) => {
      // Whatever Node makes of a stream that is no more, it must not end the app.
      try {
        this.#take(stream, headers);
      } catch {
        this.#violated('a stream of it could not be taken');
      }
    });
    server.emit('connection', this.#connection);
  }

  #watch(session: Http2Session): void {
    this.#session = session;
    let pings = 0;
    let settings = 0;
    session.setLocalWindowSize(runnerProtocol.sessionWindow);
    session.on('error', (error) => this.#violated(`it broke the protocol (${error.message})`));
    session.on('frameError', () => this.#violated('a frame could not be sent to it'));
    session.on('close', () => this.#ended());
    session.on('goaway', () => this.#ended());
    session.on('ping', () => {
      pings += 1;
      if (pings > tunnelLimits.pings) this.#violated('it sent too many pings');
    });
    session.on('remoteSettings', () => {
      settings += 1;
      if (settings > tunnelLimits.settings) this.#violated('it changed its settings too often');
    });
  }

  #take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // A reset is told again by 'close'.
    stream.on('error', () => {});
    if (this.#isOver) {
      stream.destroy();
      return;
    }
    const path = headers[':path'] ?? '';
    const objection = this.#objection(headers[':method'], path);
    const sinks = this.#given?.sinks;
    if (objection !== null) this.#violated(objection);
    else if (path === paths.job) this.#ask(stream);
    else if (path === paths.exit) this.#takeExit(stream);
    else if (path === paths.egress) this.#connect(stream, sinks?.egress);
    else this.#pass(stream, path === paths.stdout ? sinks?.stdout : sinks?.stderr);
  }

  /** What is wrong with a stream that was opened now. */
  #objection(method: string | undefined, path: string): string | null {
    if (method !== 'POST' || !knownPaths.has(path)) return 'it opened a stream that there is not';
    if (path !== paths.job && this.#given === null) return `it opened ${path} before it had a job`;
    if (path === paths.egress) return null;
    if (this.#opened.has(path)) return `it opened ${path} twice`;
    this.#opened.add(path);
    const hasOutputs = this.#opened.has(paths.stdout) && this.#opened.has(paths.stderr);
    return path === paths.exit && !hasOutputs ? 'it told its exit before its output' : null;
  }

  #ask(stream: ServerHttp2Stream): void {
    clearTimeout(this.#timer);
    stream.on('data', () => this.#violated('it sent more than a question for its job'));
    stream.on('close', () => {
      if (this.#given === null) this.#violated('it gave up waiting for its job');
    });
    this.#asking = stream;
    this.#isReady();
  }

  #connect(stream: ServerHttp2Stream, egress?: TunnelSinks['egress']): void {
    const isInTime = this.#buckets.take('connections', tunnelLimits.connections, this.#clock.monotonicMs()).ok;
    if (!isInTime) this.#refused += 1;
    if (this.#refused > tunnelLimits.refusedConnections) this.#violated('the code opened connections without end');
    if (isReset(stream)) return;
    stream.respond({ ':status': isInTime ? 200 : 503 }, { endStream: !isInTime });
    if (isInTime) egress?.(resetWhenCut(stream));
    else stream.resume();
  }

  /** Reading is what lets the sandbox send more, so a slow host slows the code and holds nothing. */
  #pass(stream: ServerHttp2Stream, sink?: TunnelSinks['stdout']): void {
    stream.on('data', (chunk: Buffer) => {
      if (this.#isOver) return;
      try {
        sink?.(chunk);
      } catch {
        this.#violated('its output could not be taken');
      }
    });
    this.#onWhole(stream, () => {
      this.#outputsEnded += 1;
      this.#finish();
    });
  }

  #takeExit(stream: ServerHttp2Stream): void {
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.length > maxRunnerExitBytes) this.#violated('its exit message was too long');
    });
    this.#onWhole(stream, () => {
      const parsed = runnerExitSchema.safeParse(parseJson(Buffer.from(text, 'latin1').toString('utf8')));
      if (parsed.success) {
        this.#exit = parsed.data;
        this.#finish();
      } else {
        this.#violated('its exit message was not understood');
      }
    });
  }

  /** What was reset must not look complete. */
  #onWhole(stream: ServerHttp2Stream, onWhole: () => void): void {
    stream.on('end', () => {
      if (this.#isOver) return;
      if (!isReset(stream)) stream.respond({ ':status': 200 }, { endStream: true });
      onWhole();
    });
    stream.on('aborted', () => this.#violated('it cut its own output'));
  }

  #finish(): void {
    if (this.#exit !== null && this.#outputsEnded === 2) this.#given?.resolve(this.#exit);
  }

  #ended(): void {
    this.#break(new TunnelError('ended', 'the connection to it ended'));
  }

  #violated(what: string): void {
    this.#break(new TunnelError('violation', what));
  }

  #break(error: TunnelError): void {
    if (this.#isOver) return;
    this.close();
    this.#isBroken(error);
  }
}

/** One that was reset in the same breath as it was opened is closed before it is destroyed, and throws when answered. */
const isReset = (stream: ServerHttp2Stream): boolean => stream.destroyed || stream.closed;

function answer(stream: ServerHttp2Stream, text: string): void {
  if (isReset(stream)) return;
  stream.respond({ ':status': 200 });
  stream.end(text);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { type Duplex, duplexPair } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runnerProtocol } from '../../../contract/runnerProtocol.ts';
import { clientPreface, frameFlags, frameTypes, headerBlock, http2Frame } from '../../../tests/support/http2Frames.ts';
import { systemClock } from '../../core/systemClock.ts';
import { anyJob } from './testing.ts';
import { Tunnel, type TunnelError } from './tunnel.ts';
import { tunnelLimits } from './tunnelLimits.ts';

const { runnerGreeting, hostGreeting, paths } = runnerProtocol;
const exitMessage = JSON.stringify({ code: 0, signal: null, timedOut: false, outOfMemory: false });

/** A stream as it is opened on the wire, for what no client of ours would do. */
const openFrame = (stream: number, path: string, flags: number): Buffer => {
  const headers = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':authority', 'host'],
    [':path', path],
  ] as const;
  return http2Frame(frameTypes.headers, flags, stream, headerBlock(headers));
};

let tunnels: Tunnel[] = [];
let sessions: ClientHttp2Session[] = [];

beforeEach(() => {
  tunnels = [];
  sessions = [];
});
afterEach(() => {
  for (const tunnel of tunnels) tunnel.close();
  for (const session of sessions) session.destroy();
});

function open(): { tunnel: Tunnel; inside: Duplex } {
  const [outside, inside] = duplexPair();
  const tunnel = new Tunnel(outside, systemClock);
  tunnels.push(tunnel);
  inside.on('error', () => {});
  return { tunnel, inside };
}

/** What PID 1 does, with every step in the hands of the test. */
class Runner {
  readonly session: ClientHttp2Session;

  constructor(inside: Duplex) {
    this.session = connect('http://host', { createConnection: () => inside });
    this.session.on('error', () => {});
    sessions.push(this.session);
  }

  open(path: string, body?: string | Buffer): ClientHttp2Stream {
    const stream = this.session.request({ ':method': 'POST', ':path': path }, { endStream: false });
    stream.on('error', () => {});
    stream.resume();
    if (body !== undefined) stream.end(body);
    return stream;
  }

  ask(): ClientHttp2Stream {
    const stream = this.session.request({ ':method': 'POST', ':path': paths.job }, { endStream: true });
    stream.on('error', () => {});
    return stream;
  }
}

async function greeted(): Promise<{ tunnel: Tunnel; runner: Runner; inside: Duplex }> {
  const { tunnel, inside } = open();
  inside.write(runnerGreeting);
  while (inside.readableLength < hostGreeting.length) await turn();
  expect(String(inside.read(hostGreeting.length))).toBe(hostGreeting);
  return { tunnel, runner: new Runner(inside), inside };
}

/** A runner that waits for its job. */
async function waiting() {
  const { tunnel, runner, inside } = await greeted();
  const asked = runner.ask();
  await tunnel.ready;
  return { tunnel, runner, inside, asked };
}

/** A runner that has its job. */
async function running(sinks: Partial<Parameters<Tunnel['run']>[1]> = {}) {
  const { tunnel, runner, inside, asked } = await waiting();
  const output: string[] = [];
  const exit = tunnel.run(anyJob, {
    stdout: (chunk) => output.push(`out ${new TextDecoder().decode(chunk)}`),
    stderr: (chunk) => output.push(`err ${new TextDecoder().decode(chunk)}`),
    egress: (connection) => void connection.on('error', () => {}).pipe(connection),
    ...sinks,
  });
  exit.catch(() => {});
  let text = '';
  for await (const piece of asked) text += String(piece);
  expect(JSON.parse(text)).toEqual(anyJob);
  return { tunnel, runner, inside, exit, output };
}

const violation = (message: RegExp | string) =>
  expect.objectContaining<Partial<TunnelError>>({ code: 'violation', message: expect.stringMatching(message) });

describe('the tunnel to a runner', () => {
  it('is ready when the runner asks for its job, gives it, and tells output and exit', async () => {
    const { runner, exit, output } = await running();
    runner.open(paths.stdout, 'hello');
    runner.open(paths.stderr, 'oh');
    runner.open(paths.exit, exitMessage);
    expect(await exit).toEqual({ code: 0, signal: null, timedOut: false, outOfMemory: false });
    expect(output.sort()).toEqual(['err oh', 'out hello']);
  });

  it('takes the greeting in whatever pieces it comes', async () => {
    const { tunnel, inside } = open();
    for (const letter of runnerGreeting) {
      inside.write(letter);
      await turn();
    }
    while (inside.readableLength < hostGreeting.length) await turn();
    inside.read(hostGreeting.length);
    new Runner(inside).ask();
    await tunnel.ready;
  });

  it('waits for all output although the exit was told', async () => {
    const { runner, exit, output } = await running();
    const stdout = runner.open(paths.stdout);
    runner.open(paths.stderr, '');
    runner.open(paths.exit, exitMessage);
    let isOver = false;
    void exit.then(() => {
      isOver = true;
    });
    for (let at = 0; at < 20; at += 1) await turn();
    expect(isOver).toBe(false);
    stdout.end('late');
    await exit;
    expect(output).toEqual(['out late']);
  });

  it('hands over each connection of the code', async () => {
    const { runner } = await running();
    const stream = runner.session.request({ ':method': 'POST', ':path': paths.egress });
    stream.end('echo');
    let text = '';
    for await (const piece of stream) text += String(piece);
    expect(text).toBe('echo');
  });

  it.each([
    ['is cut', (connection: Duplex) => void connection.write('half', () => connection.destroy()), 'reset'],
    ['is ended', (connection: Duplex) => void connection.resume().end('whole'), 'whole'],
  ])('lets a connection that %s on its side look so to the code', async (_what, serve, seen) => {
    const { runner } = await running({ egress: serve });
    const stream = runner.session.request({ ':method': 'POST', ':path': paths.egress });
    let text = '';
    stream.end('question');
    const closed = new Promise<number | undefined>((resolve) => stream.on('close', () => resolve(stream.rstCode)));
    stream
      .on('error', () => {})
      .on('data', (piece) => {
        text += String(piece);
      });
    expect((await closed) === constants.NGHTTP2_NO_ERROR ? text : 'reset').toBe(seen);
  });

  it('passes nothing on once it was closed', async () => {
    const { tunnel, runner, output } = await running();
    const stdout = runner.open(paths.stdout);
    stdout.write('before');
    while (output.length === 0) await turn();
    tunnel.close();
    stdout.write('after');
    for (let at = 0; at < 20; at += 1) await turn();
    expect(output).toEqual(['out before']);
  });

  it('lets a host that takes output slowly stop the runner', async () => {
    const { runner, exit } = await running({
      egress: (connection) => void connection.on('error', () => {}),
    });
    // Nobody reads this connection: its window is all that is ever on the way.
    const stream = runner.open(paths.egress);
    let sent = 0;
    const piece = Buffer.alloc(64 * 1024);
    for (let at = 0; at < 400 && sent < 256; at += 1) {
      while (!stream.writableNeedDrain && sent < 256) {
        stream.write(piece);
        sent += 1;
      }
      await turn();
    }
    expect(sent * piece.length).toBeLessThan(4 * runnerProtocol.streamWindow);
    // The others go on.
    runner.open(paths.stdout, 'out');
    runner.open(paths.stderr, '');
    runner.open(paths.exit, exitMessage);
    await exit;
  });
});

describe('the tunnel to something that is no runner', () => {
  it.each(['hello', 'oauth3-runner 2\n', '\n', 'x'.repeat(1_000_000)])(
    'ends at other first bytes: %.20s',
    async (text) => {
      const { tunnel, inside } = open();
      inside.write(text);
      expect(await tunnel.broken).toEqual(violation('first bytes'));
      await expect(tunnel.ready).rejects.toThrow('first bytes');
    },
  );

  it.each([
    ['nothing', ''],
    ['half a greeting', runnerGreeting.slice(0, 5)],
    ['a greeting and no question', runnerGreeting],
  ])('does not wait for ever when it says %s', async (_what, text) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { tunnel, inside } = open();
      if (text !== '') inside.write(text);
      await turn();
      vi.advanceTimersByTime(tunnelLimits.readyWithinMs);
      expect(await tunnel.broken).toEqual(violation('not ready within 30 seconds'));
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('ends when the connection ends, before the greeting and after it', async () => {
    const first = open();
    first.inside.destroy();
    expect(await first.tunnel.broken).toMatchObject({ code: 'ended' });
    const second = await waiting();
    second.inside.destroy();
    expect(await second.tunnel.broken).toMatchObject({ code: 'ended' });
    const third = await running();
    third.inside.destroy();
    await expect(third.exit).rejects.toMatchObject({ code: 'ended' });
  });

  it('ends on bytes that are no HTTP/2', async () => {
    const { tunnel, inside } = open();
    inside.resume();
    inside.write(`${runnerGreeting}GET / HTTP/1.1\r\n\r\n`);
    expect((await tunnel.broken).code).toBeDefined();
  });

  it.each([paths.stdout, paths.stderr, paths.exit, paths.egress])('ends when %s comes before the job', async (path) => {
    const { tunnel, runner } = await waiting();
    runner.open(path, '');
    expect(await tunnel.broken).toEqual(violation('before it had a job'));
  });

  it('ends when it asks for a second job', async () => {
    const { tunnel, runner } = await waiting();
    runner.ask();
    expect(await tunnel.broken).toEqual(violation('/job twice'));
  });

  it('ends when it sends more than its question', async () => {
    const { tunnel, runner } = await greeted();
    runner.open(paths.job, 'more');
    expect(await tunnel.broken).toEqual(violation('more than a question'));
  });

  it('ends when it gives up waiting', async () => {
    const { tunnel, asked } = await waiting();
    asked.close(constants.NGHTTP2_CANCEL);
    expect(await tunnel.broken).toEqual(violation('gave up'));
  });

  it.each([
    ['/other', 'POST'],
    [paths.stdout, 'GET'],
  ])('ends on a stream that there is not: %s %s', async (path, method) => {
    const { tunnel, runner } = await running();
    runner.session.request({ ':method': method, ':path': path }).on('error', () => {});
    expect((await tunnel.broken).code).toBeDefined();
  });

  it.each([paths.stdout, paths.stderr])('ends when it opens %s twice', async (path) => {
    const { exit, runner } = await running();
    runner.open(path);
    runner.open(path);
    await expect(exit).rejects.toEqual(violation('twice'));
  });

  it('ends, and the app does not, when a stream that is ended is opened again while the session reads', async () => {
    const uncaught: unknown[] = [];
    const note = (error: unknown): void => void uncaught.push(error);
    process.on('uncaughtException', note);
    try {
      const { tunnel, inside } = open();
      inside.resume();
      inside.write(runnerGreeting);
      await turn();
      inside.write(Buffer.concat([clientPreface, http2Frame(frameTypes.settings, 0, 0, Buffer.alloc(0))]));
      inside.write(openFrame(1, paths.job, frameFlags.endHeaders | frameFlags.endStream));
      await tunnel.ready;
      const exit = tunnel.run(anyJob, { stdout: () => {}, stderr: () => {}, egress: () => {} });
      exit.catch(() => {});
      const stdout = openFrame(3, paths.stdout, frameFlags.endHeaders);
      // The second one is trailers that do not end the stream: nghttp2 resets it, and has that to say.
      for (const frame of [stdout, stdout]) inside.write(frame);
      await expect(exit).rejects.toEqual(violation('cut its own output'));
      for (let at = 0; at < 10; at += 1) await turn();
      expect(uncaught).toEqual([]);
    } finally {
      process.off('uncaughtException', note);
    }
  });

  it('ends when it tells its exit twice, or before its output', async () => {
    const early = await running();
    early.runner.open(paths.exit, exitMessage);
    await expect(early.exit).rejects.toEqual(violation('before its output'));
    const twice = await running();
    twice.runner.open(paths.stdout);
    twice.runner.open(paths.stderr);
    twice.runner.open(paths.exit, exitMessage);
    twice.runner.open(paths.exit, exitMessage);
    await expect(twice.exit).rejects.toEqual(violation('/exit twice'));
  });

  it.each([
    ['no JSON', 'exit 0'],
    ['other fields', '{"code":0}'],
    ['more fields', `${exitMessage.slice(0, -1)},"secret":1}`],
    ['a code that there is not', exitMessage.replace('"code":0', '"code":256')],
    ['too long', `${exitMessage}${' '.repeat(1024)}`],
  ])('ends when the exit is %s', async (_what, text) => {
    const { exit, runner } = await running();
    runner.open(paths.stdout, '');
    runner.open(paths.stderr, '');
    runner.open(paths.exit, text);
    await expect(exit).rejects.toEqual(violation('exit message'));
  });

  it('does not take output that was cut for whole', async () => {
    const { exit, runner } = await running();
    const stdout = runner.open(paths.stdout);
    stdout.write('half');
    await turn();
    stdout.close(constants.NGHTTP2_CANCEL);
    await expect(exit).rejects.toEqual(violation('cut its own output'));
  });

  it('ends when output cannot be taken', async () => {
    const { exit, runner } = await running({
      stdout: () => {
        throw new Error('no');
      },
    });
    runner.open(paths.stdout, 'x');
    await expect(exit).rejects.toEqual(violation('could not be taken'));
  });
});

import { type Duplex, duplexPair } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { maxRunnerExitBytes, type RunnerExit } from '../../../contract/runner.ts';
import { runnerProtocol } from '../../../contract/runnerProtocol.ts';
import { AttachStream } from '../../../main/backends/docker/attachStream.ts';
import { anyJob } from '../../../main/backends/docker/testing.ts';
import { Tunnel, type TunnelError } from '../../../main/backends/docker/tunnel.ts';
import { systemClock } from '../../../main/core/systemClock.ts';
import { clientPreface, frameFlags, frameTypes, headerBlock, http2Frame } from '../../support/http2Frames.ts';
import type { Choices } from '../choices.ts';
import { must, target } from '../target.ts';
import { mangled, mangledBytes, nastyText } from '../words.ts';

type Step = Readonly<{ bytes: Uint8Array; pause: boolean }>;

type Input = Readonly<{
  steps: readonly Step[];
  /** What the steps say of a run, when nothing in them is odd; null otherwise. */
  honest: Readonly<{ stdout: string; stderr: string; exit: RunnerExit }> | null;
  attached: boolean;
  /** What becomes of a connection of the code. */
  egress: 'echo' | 'break' | 'ignore';
  ending: 'end' | 'break';
}>;

const { paths, runnerGreeting } = runnerProtocol;
const { endStream, endHeaders } = frameFlags;

const open = (stream: number, path: string, flags: number, method = 'POST'): Buffer =>
  http2Frame(
    frameTypes.headers,
    flags,
    stream,
    headerBlock([
      [':method', method],
      [':scheme', 'http'],
      [':authority', 'host'],
      [':path', path],
    ]),
  );
const data = (stream: number, text: string | Uint8Array, end: boolean): Buffer =>
  http2Frame(frameTypes.data, end ? endStream : 0, stream, typeof text === 'string' ? Buffer.from(text) : text);
const settings = http2Frame(frameTypes.settings, 0, 0, new Uint8Array(0));

const exits: readonly RunnerExit[] = [
  { code: 0, signal: null, timedOut: false, outOfMemory: false },
  { code: null, signal: 'SIGKILL', timedOut: true, outOfMemory: true },
  { code: 255, signal: null, timedOut: false, outOfMemory: false, failed: 'no such program' },
];

/** An exit message as no runner writes it. */
const oddExit = (choices: Choices): string =>
  choices.pick([
    '',
    '{}',
    'null',
    '[]',
    '{"code":256,"signal":null,"timedOut":false,"outOfMemory":false}',
    '{"code":0}',
    'x'.repeat(maxRunnerExitBytes + 1),
    '{"code":0,"signal":null,"timedOut":false,"outOfMemory":false,"extra":1}',
    '{"__proto__":{"code":0},"signal":null,"timedOut":false,"outOfMemory":false}',
    mangled(choices, JSON.stringify(exits[0])),
  ]);

const oddPaths = [
  '/job',
  '/stdout',
  '/exit',
  '/egress',
  '/',
  '',
  '*',
  '/job/',
  '/JOB',
  '/__proto__',
  'http://host/job',
  '/egress?x',
];

/** A frame that has no business there. */
function oddFrame(choices: Choices): Uint8Array {
  const stream = choices.pick([1, 3, 5, 7, 9, 0, 2, 11, 0x7fffffff, 0x80000001]);
  const flags = choices.pick([0, 1, 4, 5, 8, 9, 32, 0xff]);
  switch (choices.below(12)) {
    case 0:
      return http2Frame(frameTypes.ping, choices.pick([0, 1]), choices.pick([0, 0, 1]), choices.bytes(8, 8));
    case 1:
      return Buffer.concat(Array.from({ length: 25 }, () => http2Frame(frameTypes.ping, 0, 0, new Uint8Array(8))));
    case 2:
      return http2Frame(frameTypes.settings, flags & 1, 0, choices.bytes(0, 12));
    case 3:
      return http2Frame(
        frameTypes.settings,
        0,
        0,
        Uint8Array.of(
          0,
          choices.between(1, 6),
          ...choices.pick([
            [0, 0, 0, 0],
            [0, 0, 0, 1],
            [255, 255, 255, 255],
            [0, 1, 0, 0],
          ]),
        ),
      );
    case 4:
      return http2Frame(frameTypes.reset, 0, stream, Uint8Array.of(0, 0, 0, choices.below(14)));
    case 5:
      return http2Frame(frameTypes.goaway, 0, 0, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, choices.below(14)));
    case 6:
      return http2Frame(
        frameTypes.window,
        0,
        choices.pick([0, stream]),
        Uint8Array.of(choices.pick([0, 0x7f, 0x80]), 255, 255, choices.below(256)),
      );
    case 7:
      return http2Frame(frameTypes.push, flags, stream, choices.bytes(4, 12));
    case 8:
      return http2Frame(
        choices.pick([frameTypes.continuation, frameTypes.priority, 10, 0xfe]),
        flags,
        stream,
        choices.bytes(0, 12),
      );
    case 9:
      return http2Frame(
        frameTypes.headers,
        flags,
        stream,
        choices.rarely(2)
          ? choices.bytes(0, 40)
          : headerBlock([[choices.pick([':path', 'x', ':method', 'X', '']), nastyText(choices)]]),
      );
    case 10:
      return open(stream, choices.pick(oddPaths), flags, choices.pick(['POST', 'GET', 'CONNECT', '']));
    default:
      return http2Frame(
        choices.below(10),
        flags,
        stream,
        choices.bytes(0, 30),
        choices.pick([0, 1, 8, 16_384, 16_385, 0xffffff]),
      );
  }
}

function make(choices: Choices): Input {
  const [stdout, stderr] = [choices.pick(['hello', '', 'x'.repeat(1500)]), choices.pick(['', 'oh'])];
  const exit = choices.pick(exits);
  const whole = endHeaders | endStream;
  const honest: Uint8Array[] = [
    Buffer.from(runnerGreeting),
    clientPreface,
    settings,
    open(1, paths.job, whole),
    open(3, paths.stdout, endHeaders),
    open(5, paths.stderr, stderr === '' ? whole : endHeaders),
    open(7, paths.egress, endHeaders),
    data(7, 'GET / HTTP/1.1\r\n\r\n', true),
    data(3, stdout, true),
    ...(stderr === '' ? [] : [data(5, stderr, true)]),
    open(9, paths.exit, endHeaders),
    data(9, JSON.stringify(exit), true),
  ];
  const isHonest = choices.below(5) === 0;
  const frames = isHonest ? honest : bent(choices, honest);
  const whole1 = choices.rarely(3) ? [Buffer.concat(frames)] : frames;
  return {
    steps: whole1.flatMap((frame, at) =>
      (choices.rarely(12) ? choices.pieces(frame) : [frame]).map((bytes) => ({
        bytes,
        pause: at < 4 || choices.rarely(4),
      })),
    ),
    honest: isHonest && whole1 === frames ? { stdout, stderr, exit } : null,
    attached: choices.rarely(3),
    egress: choices.pick(['echo', 'break', 'ignore']),
    ending: choices.pick(['end', 'break']),
  };
}

/** The frames of a runner with something left out, put in, said twice, in another order, or torn. */
function bent(choices: Choices, honest: readonly Uint8Array[]): readonly Uint8Array[] {
  const frames = [...honest];
  for (let count = choices.between(1, 4); count > 0; count -= 1) {
    const at = choices.rarely(4) ? choices.below(frames.length) : Math.min(frames.length - 1, choices.between(3, 12));
    const frame = frames[at] ?? settings;
    switch (choices.below(7)) {
      case 0:
        frames.splice(at, 1);
        break;
      case 1:
        frames.splice(at, 0, frame);
        break;
      case 2:
        frames.splice(at, 1, mangledBytes(choices, frame, 2));
        break;
      case 3:
        frames.splice(at, 2, frames[at + 1] ?? settings, frame);
        break;
      case 4:
        frames.splice(at, frames.length, data(9, oddExit(choices), true));
        break;
      default:
        frames.splice(at, 0, oddFrame(choices));
    }
    if (frames.length === 0) frames.push(settings);
  }
  return frames;
}

function attachedFrame(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt8(1, 0);
  head.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
}

async function check({ steps, honest, attached, egress, ending }: Input): Promise<void> {
  const [inside, outside] = duplexPair();
  inside.on('error', () => {});
  inside.resume();
  const connection = attached ? new AttachStream(outside) : outside;
  const tunnel = new Tunnel(connection, systemClock);
  const output = { stdout: '', stderr: '' };
  const streams: Duplex[] = [];
  const sinks = {
    stdout: (chunk: Uint8Array) => {
      output.stdout += Buffer.from(chunk).toString('latin1');
    },
    stderr: (chunk: Uint8Array) => {
      output.stderr += Buffer.from(chunk).toString('latin1');
    },
    egress: (stream: Duplex) => {
      streams.push(stream.on('error', () => {}));
      if (egress === 'echo') stream.pipe(stream);
      else if (egress === 'break') stream.destroy();
    },
  };
  let exit: RunnerExit | null = null;
  const run = tunnel.ready
    .then(() => tunnel.run(anyJob, sinks))
    .then(
      (told) => {
        exit = told;
      },
      () => {},
    );
  for (const { bytes, pause } of steps) {
    if (inside.destroyed) break;
    inside.write(attached ? attachedFrame(bytes) : bytes);
    if (pause) await turn();
  }
  const patience = honest === null ? 6 : 5_000;
  for (let quiet = 0; quiet < patience && exit === null && !connection.destroyed; quiet += 1) await turn();
  if (ending === 'end') inside.end();
  else outside.destroy();
  const over = exit === null ? await tunnel.broken : null;
  if (exit !== null) tunnel.close();
  await run;
  if (!connection.closed) await new Promise((resolve) => connection.once('close', resolve));
  checkOutcome(honest, exit, over, output);
  const said = output.stdout.length + output.stderr.length;
  await turn();
  must(output.stdout.length + output.stderr.length === said, 'something was passed on after the end');
  must(
    streams.every((stream) => stream.destroyed),
    'a connection of the code stays open after the end',
  );
}

function checkOutcome(
  honest: Input['honest'],
  exit: RunnerExit | null,
  over: TunnelError | null,
  output: Readonly<{ stdout: string; stderr: string }>,
): void {
  const facts = { exit, over: over?.message, output };
  if (honest !== null) {
    must(JSON.stringify(exit) === JSON.stringify(honest.exit), 'an honest run has another exit', facts);
    must(output.stdout === honest.stdout && output.stderr === honest.stderr, 'an honest run has other output', facts);
    return;
  }
  if (exit === null) return;
  const { code, signal, timedOut, outOfMemory, failed } = exit;
  const isExit =
    (code === null || (Number.isInteger(code) && code >= 0 && code <= 255)) && (signal === null || signal.length <= 20);
  must(
    isExit && typeof timedOut === 'boolean' && typeof outOfMemory === 'boolean' && (failed ?? '').length <= 300,
    'an exit that no runner tells',
    facts,
  );
  must(
    Object.keys(exit).every((key) => ['code', 'signal', 'timedOut', 'outOfMemory', 'failed'].includes(key)),
    'an exit with more in it',
    facts,
  );
}

// Not mended: a session that the tunnel ends because of a GOAWAY stays behind a native handle, about 10 KiB. A run has
// one session, and an honest runner sends no GOAWAY; all other endings leave nothing.
const keptPerInput = 8 * 1024;

export const runner = target({ name: 'runner', inputs: 40_000, testInputs: 1_200, keptPerInput }, () => ({
  make,
  check,
}));

import { duplexPair } from 'node:stream';
import { runnerProtocol } from '../../../contract/runnerProtocol.ts';
import { AttachStream } from '../../../main/backends/docker/attachStream.ts';
import { awaitGreeting } from '../../../main/backends/docker/greeting.ts';
import type { Choices } from '../choices.ts';
import { must, target } from '../target.ts';
import { mangledBytes } from '../words.ts';

type Input = Readonly<{ bytes: Uint8Array; pieces: readonly Uint8Array[]; ending: 'end' | 'break'; reads: boolean }>;

const { runnerGreeting } = runnerProtocol;

function attachFrame(choices: Choices): Uint8Array {
  const body = choices.rarely(3)
    ? Buffer.from(choices.pick([runnerGreeting, 'ld.so: warning\n', 'oauth3-runner 2\n', runnerGreeting.slice(0, 9)]))
    : choices.bytes(0, 40);
  const head = Buffer.alloc(8);
  head.writeUInt8(choices.pick([1, 1, 1, 1, 1, 1, 1, 2, 3, 0, 4, 255]), 0);
  if (choices.rarely(40)) head.writeUInt8(choices.below(256), choices.between(1, 3));
  head.writeUInt32BE(choices.rarely(20) ? choices.pick([0, 1, 16_777_216, 16_777_217, 0xffffffff]) : body.length, 4);
  return Buffer.concat([head, body]);
}

function make(choices: Choices): Input {
  const frames = choices.list(1, 6, () => attachFrame(choices));
  const [first = new Uint8Array(0), ...more] = frames;
  const bytes = Buffer.concat(choices.rarely(3) ? [mangledBytes(choices, first), ...more] : frames);
  return { bytes, pieces: choices.pieces(bytes), ending: choices.pick(['end', 'break']), reads: !choices.rarely(10) };
}

type Seen = Readonly<{ stdout: Buffer; stderr: Buffer; isGood: boolean }>;

/** What stands in the frames, read in one go. */
function slowly(bytes: Buffer): Seen {
  const kept: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  const seen = (isGood: boolean): Seen => ({
    stdout: Buffer.concat(kept.stdout),
    stderr: Buffer.concat(kept.stderr),
    isGood,
  });
  for (let at = 0; bytes.length - at >= 8; ) {
    const [kind, zeros, length] = [bytes[at], bytes.readUIntBE(at + 1, 3), bytes.readUInt32BE(at + 4)];
    if (zeros !== 0 || kind === undefined || kind < 1 || kind > 3 || length > 16 * 1024 * 1024) return seen(false);
    kept[kind === 1 ? 'stdout' : 'stderr'].push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return seen(true);
}

async function check({ bytes, pieces, ending, reads }: Input): Promise<void> {
  const [engine, socket] = duplexPair();
  engine.on('error', () => {});
  const stream = new AttachStream(socket);
  const read: Buffer[] = [];
  let isBroken = false;
  const closed = new Promise<void>((resolve) => {
    stream.on('error', () => {
      isBroken = true;
    });
    stream.once('close', resolve);
  });
  if (reads) stream.on('data', (chunk: Buffer) => read.push(chunk));
  for (const piece of pieces) engine.write(piece);
  await new Promise((resolve) => setImmediate(resolve));
  const slow = slowly(Buffer.from(bytes));
  if (reads) {
    const stdout = Buffer.concat(read);
    // What was read of a stream that then breaks may stay behind in it.
    const isSame = slow.isGood ? slow.stdout.equals(stdout) : slow.stdout.subarray(0, stdout.length).equals(stdout);
    must(isSame, 'stdout is not what the engine sent', { stdout, slow });
    must(isBroken === !slow.isGood, 'a bad frame was taken, or a good one refused', { slow });
    must(
      slow.stderr.subarray(-2048).toString('utf8') === stream.stderrTail,
      'stderr is not what the engine sent',
      slow,
    );
  }
  if (ending === 'end') engine.end();
  else engine.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  stream.destroy();
  await closed;
  must(socket.destroyed, 'the connection stays open after the stream');
  await checkGreeting(slow.stdout, pieces);
}

/** The same bytes as the first that come from a runner. */
async function checkGreeting(stdout: Buffer, cuts: readonly Uint8Array[]): Promise<void> {
  const [inside, outside] = duplexPair();
  let said: 'greeted' | 'wrong' | null = null;
  const tell = (what: 'greeted' | 'wrong') => (): void => {
    must(said === null, 'a greeting was judged twice');
    said = what;
  };
  awaitGreeting(outside, tell('greeted'), tell('wrong'));
  let at = 0;
  for (const { length } of cuts) {
    if (at < stdout.length) inside.write(stdout.subarray(at, at + length));
    at += length;
  }
  await new Promise((resolve) => setImmediate(resolve));
  const start = stdout.subarray(0, runnerGreeting.length).toString('latin1');
  const wanted = start === runnerGreeting ? 'greeted' : runnerGreeting.startsWith(start) ? null : 'wrong';
  must(said === wanted, 'a greeting was taken for another', { said, wanted, start });
  if (said === 'greeted') {
    const rest: unknown = outside.read();
    const left = rest instanceof Uint8Array ? rest : new Uint8Array(0);
    must(stdout.subarray(runnerGreeting.length).equals(left), 'what follows a greeting was lost', { left });
  }
  inside.destroy();
  outside.destroy();
}

export const attach = target({ name: 'attach', inputs: 60_000, testInputs: 2_500 }, () => ({ make, check }));

import { encodeFrame, FrameDecoder, FrameError } from '../../../contract/sandboxFrames.ts';
import { sandboxLimits } from '../../../contract/sandboxLimits.ts';
import type { HostMessage } from '../../../contract/sandboxMessages.ts';
import type { SandboxChild } from '../../../main/backends/embedded/childLauncher.ts';
import { runInChild } from '../../../main/backends/embedded/hostRun.ts';
import type { DoorRequest, DoorResponse, EgressDoor } from '../../../main/core/door.ts';
import { systemClock } from '../../../main/core/systemClock.ts';
import { anyTunnel } from '../../../main/runs/testDoor.ts';
import type { Choices } from '../choices.ts';
import { must, target } from '../target.ts';
import { mangled, mangledBytes, nastyText } from '../words.ts';

type Input = Readonly<{
  /** What the child says, as it stands on the pipe. */
  bytes: Uint8Array;
  pieces: readonly Uint8Array[];
  /** How the door answers, one after the other. */
  answers: readonly DoorAnswer[];
  ending: 'dies' | 'is aborted';
}>;

type DoorAnswer = Readonly<{ kind: 'all' | 'fails' | 'waits' | 'breaks'; bytes: number }>;

const oddValues: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1.5,
  Number.MAX_VALUE,
  2 ** 53,
  '',
  'x',
  '__proto__',
  [],
  {},
  [[]],
  { toString: null },
  { length: 1e9 },
];
const ids = [1, 1, 2, 3, 4, 5, 64, 65, 0, -1, 1.5, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER + 1];

/** One message: mostly as an honest child says it. */
function message(choices: Choices, at: number): object {
  const id = choices.rarely(4) ? choices.pick(ids) : Math.max(1, at - choices.below(4));
  switch (choices.below(9)) {
    case 0:
    case 1:
      return {
        type: 'output',
        fd: choices.pick([1, 2, 1, 2, 3, '1']),
        bytes: bytesOf(choices, [1, 5, 100, 0, 65_536, 65_537]),
      };
    case 2:
    case 3:
      return {
        type: 'fetch',
        id: at + 1,
        method: choices.pick(['GET', 'POST', '', nastyText(choices), 'M'.repeat(65)]),
        url: choices.pick(['https://a.test/', '', nastyText(choices), 'u'.repeat(65_537)]),
        headers: headers(choices),
        bodyBytes: choices.pick([null, 0, 5, 100, 16_777_216, 16_777_217, -1]),
      };
    case 4:
      return { type: 'body', id, bytes: bytesOf(choices, [5, 100, 1, 95, 0, 262_144, 262_145]) };
    case 5:
      return { type: 'credit', id, count: choices.pick([1, 262_144, 0, 262_145, -1, 0.5, Number.NaN]) };
    case 6:
      return { type: 'cancel', id };
    case 7:
      return {
        type: 'exit',
        outcome: choices.pick([
          { kind: 'exited', exitCode: 3 },
          { kind: 'timed_out' },
          { kind: 'crashed' },
          { kind: 'exited' },
          { kind: 'exited', exitCode: 256 },
          { kind: '__proto__' },
        ]),
      };
    default:
      return choices.pick([
        { type: 'ready' },
        { type: 'malformed' },
        {},
        [],
        { type: ['output'] },
        { type: '__proto__' },
        { type: 'constructor' },
      ]);
  }
}

const bytesOf = (choices: Choices, sizes: readonly number[]): Uint8Array =>
  new Uint8Array(choices.pick(sizes)).fill(97 + choices.below(26));

const headers = (choices: Choices): unknown =>
  choices.rarely(8)
    ? choices.pick<unknown>([
        null,
        'x',
        {},
        [['a']],
        [['a', 'b', 'c']],
        [[1, 2]],
        Array.from({ length: 1001 }, () => ['a', 'b']),
      ])
    : choices.list(0, 2, () => ['accept', nastyText(choices)]);

/** The frame of a message: as it should be, or with a field, its head or its JSON changed. */
function frame(choices: Choices, at: number): Uint8Array {
  const said = message(choices, at);
  const keys = Object.keys(said);
  const changed =
    choices.rarely(10) && keys.length > 0 ? { ...said, [choices.pick(keys)]: choices.pick(oddValues) } : said;
  const extended = choices.rarely(30)
    ? { ...changed, [choices.pick(['extra', '__proto__x', 'toString'])]: choices.pick(oddValues) }
    : changed;
  const bytes = encodeFrame(extended);
  switch (choices.below(40)) {
    case 36:
      return withHead(bytes, choices.pick([0, 1, 7, 1_048_568, 1_048_569, 0x7fffffff, 0xffffffff]), 0);
    case 37:
      return withHead(bytes, choices.pick([0, 1, 7, 1_048_576, 0xffffffff]), 4);
    case 38:
      return withJson(mangled(choices, JSON.stringify({ ...extended, bytes: undefined })));
    case 39:
      return mangledBytes(choices, bytes);
    default:
      return bytes;
  }
}

function withHead(bytes: Uint8Array, length: number, at: number): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(at, length);
  return copy;
}

function withJson(json: string): Uint8Array {
  const text = Buffer.from(json);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(text.length, 0);
  return Buffer.concat([head, text]);
}

function make(choices: Choices): Input {
  let at = 0;
  const frames = choices.list(1, 8, () => frame(choices, at++));
  const bytes = Buffer.concat(frames);
  return {
    bytes,
    pieces:
      bytes.length > 20_000
        ? [bytes.subarray(0, 9), bytes.subarray(9, 10_000), bytes.subarray(10_000)]
        : choices.pieces(bytes),
    answers: choices.list(1, 3, () => ({
      kind: choices.pick(['all', 'fails', 'waits', 'breaks']),
      bytes: choices.pick([0, 10, 262_144, 262_145, 600_000]),
    })),
    ending: choices.pick(['dies', 'is aborted']),
  };
}

type Decoded = Readonly<{ messages: readonly unknown[]; refused: boolean }>;

function decoded(pieces: readonly Uint8Array[]): Decoded {
  const decoder = new FrameDecoder();
  const messages: unknown[] = [];
  try {
    for (const piece of pieces) decoder.push(piece, (said) => messages.push(said));
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    return { messages, refused: true };
  }
  return { messages, refused: false };
}

/** How many whole frames stand at the beginning, read by a slow reader; null at the first that may not be. */
function framesIn(bytes: Buffer): Readonly<{ whole: number; isGood: boolean }> {
  let whole = 0;
  for (let at = 0; bytes.length - at >= 8; whole += 1) {
    const [json, extra] = [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
    if (8 + json + extra > sandboxLimits.frameBytes) return { whole, isGood: false };
    if (bytes.length - at < 8 + json + extra) break;
    if (!isObjectJson(bytes.subarray(at + 8, at + 8 + json))) return { whole, isGood: false };
    at += 8 + json + extra;
  }
  return { whole, isGood: true };
}

function isObjectJson(json: Buffer): boolean {
  // A mark of UTF-8 at the beginning is no part of the text.
  const text = json.toString('utf8').replace(/^\ufeff/, '');
  if (!Buffer.from(json.toString('utf8')).equals(json)) return false;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}

/** A child that says what it is given; it dies when it is killed. */
class ScriptedChild implements SandboxChild {
  readonly heard: HostMessage[] = [];
  isKilled = false;
  say: (said: unknown) => void = () => {};
  die: (reason: string) => void = () => {};

  send(said: HostMessage): void {
    this.heard.push(said);
  }
  onMessage(listener: (said: unknown) => void): void {
    this.say = listener;
  }
  onExit(listener: (reason: string) => void): void {
    this.die = listener;
  }
  kill(): void {
    if (!this.isKilled) queueMicrotask(() => this.die('SIGKILL'));
    this.isKilled = true;
  }
}

/** A door that answers as the input says and counts what is open. */
class ScriptedDoor implements EgressDoor {
  readonly asked: DoorRequest[] = [];
  open = 0;
  readonly tunnel = anyTunnel.tunnel;
  readonly webSocket = anyTunnel.webSocket;
  readonly refusedEarly = anyTunnel.refusedEarly;
  readonly #answers: readonly DoorAnswer[];

  constructor(answers: readonly DoorAnswer[]) {
    this.#answers = answers;
  }

  async request(request: DoorRequest): Promise<DoorResponse> {
    const { kind, bytes } = this.#answers[this.asked.length % this.#answers.length] ?? { kind: 'all', bytes: 0 };
    this.asked.push(request);
    this.open += 1;
    const close = (): void => {
      this.open -= 1;
    };
    const aborted = new Promise<never>((_resolve, reject) => {
      if (request.signal?.aborted === true) reject(new Error('aborted'));
      request.signal?.addEventListener('abort', () => reject(new Error('aborted')));
    });
    aborted.catch(() => {});
    if (kind === 'fails' || kind === 'waits') {
      try {
        if (kind === 'waits') await aborted;
        throw Object.assign(new Error('10.0.0.7 is not there'), { code: 'GONE' });
      } finally {
        close();
      }
    }
    const body = async function* (): AsyncGenerator<Uint8Array> {
      try {
        if (bytes > 0) yield new Uint8Array(bytes);
        if (kind === 'breaks') throw new Error('10.0.0.7 broke off');
      } finally {
        close();
      }
    };
    return { status: 200, statusText: 'OK', headers: [], body: body() };
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** The bytes of output in the messages up to the first that is no output as it may be: what must have been passed on at least. */
function leadingOutput(messages: readonly unknown[]): number {
  let sum = 0;
  for (const said of messages) {
    if (!isRecord(said) || said.type !== 'output' || Object.keys(said).length !== 3) break;
    const { fd, bytes } = said;
    if (
      !(bytes instanceof Uint8Array) ||
      (fd !== 1 && fd !== 2) ||
      bytes.length < 1 ||
      bytes.length > sandboxLimits.outputPieceBytes
    )
      break;
    sum += bytes.length;
  }
  return sum;
}

function allOutput(messages: readonly unknown[]): number {
  return messages.reduce<number>((sum, said) => {
    const isOutput = isRecord(said) && said.type === 'output' && said.bytes instanceof Uint8Array;
    return sum + (isOutput && said.bytes instanceof Uint8Array ? said.bytes.length : 0);
  }, 0);
}

async function check({ bytes, pieces, answers, ending }: Input): Promise<void> {
  const once = decoded([bytes]);
  const cut = decoded(pieces);
  must(
    cut.refused === once.refused && cut.messages.length === once.messages.length,
    'what is decoded depends on the pieces',
    { once, cut },
  );
  const slow = framesIn(Buffer.from(bytes));
  must(slow.whole === once.messages.length && slow.isGood === !once.refused, 'frames are read as something else', {
    slow,
    once,
  });
  await checkRun(once, answers, ending);
}

async function checkRun(said: Decoded, answers: readonly DoorAnswer[], ending: Input['ending']): Promise<void> {
  const [child, door, abort] = [new ScriptedChild(), new ScriptedDoor(answers), new AbortController()];
  let passed = 0;
  const take = (chunk: Uint8Array): void => {
    passed += chunk.length;
  };
  const exit = runInChild(
    child,
    {
      runId: 'run_fuzz',
      runtime: 'quickjs',
      code: new Uint8Array(1),
      env: {},
      limits: { timeoutMs: 60_000, memoryMb: 64, cpus: 1 },
    },
    { stdout: take, stderr: take, egress: door, signal: abort.signal },
    systemClock,
  );
  for (const [at, one] of said.messages.entries()) {
    child.say(one);
    if (at % 3 === 2) await Promise.resolve();
  }
  if (said.refused) child.say({ type: 'malformed', reason: 'a bad frame' });
  await new Promise((resolve) => setImmediate(resolve));
  if (ending === 'dies') child.die('exit code 1');
  else abort.abort();
  const outcome = await exit;
  const heard = child.heard.length;
  child.say({ type: 'output', fd: 1, bytes: new Uint8Array(7) });
  await new Promise((resolve) => setImmediate(resolve));
  must(child.heard.length === heard && child.isKilled, 'it was talked to after its end, or lives on', { outcome });
  must(passed >= leadingOutput(said.messages) && passed <= allOutput(said.messages), 'output was lost or made up', {
    passed,
  });
  must(door.open === 0, 'requests are open after the end', door.open);
  const tellsExit = said.messages.some((one) => isRecord(one) && one.type === 'exit');
  const mayBeKilled = ending === 'is aborted' && !said.refused;
  must(
    tellsExit || outcome.kind === 'broken' || (mayBeKilled && outcome.kind === 'killed'),
    'it ended for another reason',
    outcome,
  );
  for (const request of door.asked) checkAsked(request);
  must(
    !JSON.stringify(child.heard.map((one) => ({ ...one, bytes: null }))).includes('10.0.0.7'),
    'the child was told an address',
  );
}

function checkAsked({ method, url, headers: pairs, body }: DoorRequest): void {
  must(
    method.length >= 1 && method.length <= 64 && url.length <= sandboxLimits.urlLength,
    'a request beyond its bounds',
    { method },
  );
  must(
    pairs.length <= sandboxLimits.headerPairs && pairs.every((pair) => pair.length === 2),
    'headers beyond their bounds',
    pairs,
  );
  must(
    pairs.flat().every((text) => typeof text === 'string'),
    'a header that is no text',
    pairs,
  );
  must(!(body instanceof Uint8Array) || body.length <= sandboxLimits.requestBodyBytes, 'a body beyond its bounds');
}

export const embedded = target({ name: 'embedded', inputs: 100_000, testInputs: 3_000 }, () => ({ make, check }));

import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { sandboxLimits } from '../../../contract/sandboxLimits.ts';
import type { Clock } from '../../core/clock.ts';
import type { DoorRequest, EarlyRefusal, EgressDoor } from '../../core/door.ts';
import type { SandboxExit } from '../../runs/backend.ts';
import { anyTunnel } from '../../runs/testDoor.ts';
import { closedDoor } from '../testing.ts';
import { runInChild } from './hostRun.ts';
import { ScriptedChild } from './testing.ts';

const clock: Clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };

function begin(
  options: Readonly<{
    egress?: EgressDoor;
    timeoutMs?: number;
    clock?: Clock;
    stdout?: (chunk: Uint8Array) => void;
  }> = {},
) {
  const child = new ScriptedChild();
  const output: string[] = [];
  const ending = new AbortController();
  const exit: Promise<SandboxExit> = runInChild(
    child,
    {
      runId: 'run_1',
      runtime: 'quickjs',
      code: new TextEncoder().encode('code'),
      env: { A: 'b' },
      limits: { timeoutMs: options.timeoutMs ?? 60_000, memoryMb: 128, cpus: 1 },
    },
    {
      stdout: options.stdout ?? ((chunk) => output.push(new TextDecoder().decode(chunk))),
      stderr: (chunk) => output.push(`err:${new TextDecoder().decode(chunk)}`),
      egress: options.egress ?? closedDoor,
      signal: ending.signal,
    },
    options.clock ?? clock,
  );
  return { child, exit, output, ending };
}

const bytes = (size: number) => new Uint8Array(size).fill(97);
const fetchMessage = (id: number, bodyBytes: number | null = null) => ({
  type: 'fetch',
  id,
  method: 'GET',
  url: 'https://a.test/',
  headers: [],
  bodyBytes,
});
const finished = { type: 'exit', outcome: { kind: 'exited', exitCode: 0 } };

/** A door whose requests stay open until they are aborted. */
function stuckDoor(): EgressDoor & { requests: DoorRequest[]; refused: EarlyRefusal[]; aborted: number } {
  const door = {
    ...anyTunnel,
    refused: [] as EarlyRefusal[],
    refusedEarly: (refusal: EarlyRefusal) => void door.refused.push(refusal),
    requests: [] as DoorRequest[],
    aborted: 0,
    request: (request: DoorRequest) =>
      new Promise<never>((_resolve, reject) => {
        door.requests.push(request);
        request.signal?.addEventListener('abort', () => {
          door.aborted += 1;
          reject(new Error('aborted'));
        });
      }),
  };
  return door;
}

describe('a run in a sandbox process', () => {
  it('hands over the job, passes output on, acknowledges it and ends the process with its exit', async () => {
    const { child, exit, output } = begin();
    child.say({ type: 'output', fd: 1, bytes: bytes(3) });
    child.say({ type: 'output', fd: 2, bytes: bytes(2) });
    child.say({ type: 'exit', outcome: { kind: 'exited', exitCode: 5 } });
    child.say({ type: 'output', fd: 1, bytes: bytes(9) });
    expect(await exit).toEqual({ kind: 'exited', exitCode: 5 });
    expect(output).toEqual(['aaa', 'err:aa']);
    expect(child.isKilled).toBe(true);
    expect(child.received).toEqual([
      {
        type: 'job',
        bytes: new TextEncoder().encode('code'),
        env: { A: 'b' },
        limits: { timeoutMs: 60_000, memoryMb: 128 },
      },
      { type: 'output_taken', fd: 1, count: 3 },
      { type: 'output_taken', fd: 2, count: 2 },
    ]);
  });

  it.each([
    ['no object', 7],
    ['an unknown type', { type: 'approve' }],
    ['an unknown field', { ...finished, extra: 1 }],
    ['a second ready', { type: 'ready' }],
    ['output that is no bytes', { type: 'output', fd: 1, bytes: 'text' }],
    ['output without bytes', { type: 'output', fd: 1, bytes: bytes(0) }],
    ['output for another stream', { type: 'output', fd: 3, bytes: bytes(1) }],
    ['too large a piece of output', { type: 'output', fd: 1, bytes: bytes(sandboxLimits.outputPieceBytes + 1) }],
    ['too long a URL', { ...fetchMessage(1), url: `https://a.test/${'a'.repeat(sandboxLimits.urlLength)}` }],
    [
      'too many headers',
      { ...fetchMessage(1), headers: Array.from({ length: sandboxLimits.headerPairs + 1 }, () => ['a', 'b']) },
    ],
    ['too large headers', { ...fetchMessage(1), headers: [['a', 'b'.repeat(sandboxLimits.headersLength)]] }],
    ['a header that is no pair', { ...fetchMessage(1), headers: [['a', 'b', 'c']] }],
    ['too large a request body', fetchMessage(1, sandboxLimits.requestBodyBytes + 1)],
    ['an id that is none', fetchMessage(0)],
    ['a body for a request that was never made', { type: 'body', id: 5, bytes: bytes(1) }],
    ['credit for a request that was never made', { type: 'credit', id: 5, count: 1 }],
    ['an exit code out of range', { type: 'exit', outcome: { kind: 'exited', exitCode: 256 } }],
    ['an outcome of its own', { type: 'exit', outcome: { kind: 'killed' } }],
  ])('is stopped as broken when the process sends %s', async (_what, message) => {
    const egress = stuckDoor();
    const { child, exit, output } = begin({ egress });
    child.say(message);
    expect((await exit).kind).toBe('broken');
    expect(child.isKilled).toBe(true);
    expect(output).toEqual([]);
    // A request that is refused leaves its row, without a byte of what could not be read.
    const isRequest = typeof message === 'object' && message.type === 'fetch';
    expect(egress.refused).toEqual(isRequest ? [{ code: 'request_invalid', status: 0, method: '', url: '' }] : []);
  });

  it('is stopped as broken when the process opens more requests than it may, and all are given up', async () => {
    const egress = stuckDoor();
    const { child, exit } = begin({ egress });
    for (let id = 1; id <= sandboxLimits.openRequests + 1; id += 1) child.say(fetchMessage(id));
    expect((await exit).kind).toBe('broken');
    expect(egress.refused).toEqual([{ code: 'request_invalid', status: 0, method: 'GET', url: 'https://a.test/' }]);
    expect(egress.requests).toHaveLength(sandboxLimits.openRequests);
    expect(egress.aborted).toBe(sandboxLimits.openRequests);
  });

  it('does not let requests that were given up pile up behind the door', async () => {
    const requests: DoorRequest[] = [];
    const egress: EgressDoor = { ...anyTunnel, request: (request) => new Promise(() => requests.push(request)) };
    const { child, exit, ending } = begin({ egress });
    for (let id = 1; id <= 500; id += 1) {
      child.say(fetchMessage(id));
      child.say({ type: 'cancel', id });
    }
    expect(requests.length).toBeLessThanOrEqual(2 * sandboxLimits.openRequests);
    expect(child.received).toContainEqual({ type: 'failed', id: 500, message: 'fetch failed: too much is on the way' });
    ending.abort();
    expect(await exit).toEqual({ kind: 'killed' });
  });

  it('does not hold more request bodies at once than it may', async () => {
    const egress = stuckDoor();
    const { child, exit, ending } = begin({ egress });
    const most = sandboxLimits.requestBodiesBytes / sandboxLimits.requestBodyBytes;
    for (let id = 1; id <= most + 1; id += 1) child.say(fetchMessage(id, sandboxLimits.requestBodyBytes));
    expect(child.received.filter(({ type }) => type === 'failed')).toEqual([
      { type: 'failed', id: most + 1, message: 'fetch failed: too much is on the way' },
    ]);
    expect(egress.refused).toMatchObject([{ code: 'busy', url: 'https://a.test/' }]);
    ending.abort();
    expect(await exit).toEqual({ kind: 'killed' });
  });

  it('is stopped as broken when a request id is used again', async () => {
    const egress = stuckDoor();
    const { child, exit } = begin({ egress });
    child.say(fetchMessage(4));
    child.say(fetchMessage(4));
    expect((await exit).kind).toBe('broken');
    expect(egress.refused).toMatchObject([{ code: 'request_invalid', url: 'https://a.test/' }]);
  });

  it('puts a request body together before it goes out, and stops a process that sends more of it than it said', async () => {
    const egress = stuckDoor();
    const { child, exit } = begin({ egress });
    child.say(fetchMessage(1, 5));
    child.say({ type: 'body', id: 1, bytes: bytes(2) });
    expect(egress.requests).toHaveLength(0);
    child.say({ type: 'body', id: 1, bytes: bytes(3) });
    expect(egress.requests[0]?.body).toEqual(bytes(5));
    child.say({ type: 'body', id: 1, bytes: bytes(1) });
    const refused = { kind: 'broken', message: expect.stringContaining('more request body') };
    expect(await exit).toMatchObject(refused);
    expect(egress.refused).toMatchObject([{ code: 'request_invalid', url: 'https://a.test/' }]);
    const other = begin({ egress });
    other.child.say(fetchMessage(1, 5));
    other.child.say({ type: 'body', id: 1, bytes: bytes(6) });
    expect(await other.exit).toMatchObject(refused);
  });

  it('pulls from the upstream only what the code has room for', async () => {
    const pieceBytes = 100_000;
    let pulled = 0;
    let isReturned = false;
    const egress: EgressDoor = {
      ...anyTunnel,
      async request() {
        const body = (async function* () {
          try {
            for (;;) {
              pulled += 1;
              yield bytes(pieceBytes);
            }
          } finally {
            isReturned = true;
          }
        })();
        return { status: 200, statusText: '', headers: [], body };
      },
    };
    const { child, exit, ending } = begin({ egress });
    const chunkBytes = () =>
      child.received.reduce((sum, message) => sum + (message.type === 'chunk' ? message.bytes.byteLength : 0), 0);
    const settle = async () => {
      for (let round = 0; round < 20; round += 1) await turn();
    };
    child.say(fetchMessage(1));
    await settle();
    expect(chunkBytes()).toBe(sandboxLimits.responseWindowBytes);
    expect(pulled).toBe(Math.ceil(sandboxLimits.responseWindowBytes / pieceBytes));
    child.say({ type: 'credit', id: 1, count: 50_000 });
    await settle();
    expect(chunkBytes()).toBe(sandboxLimits.responseWindowBytes + 50_000);
    // More credit than the window is worth no more than the window.
    for (let round = 0; round < 10; round += 1)
      child.say({ type: 'credit', id: 1, count: sandboxLimits.bodyPieceBytes });
    await settle();
    expect(chunkBytes()).toBe(2 * sandboxLimits.responseWindowBytes + 50_000);
    ending.abort();
    expect(await exit).toEqual({ kind: 'killed' });
    await settle();
    expect(isReturned).toBe(true);
  });

  it('tells what broke when the process ends by itself, or when the engine did', async () => {
    const first = begin();
    first.child.die('SIGSEGV');
    expect(await first.exit).toMatchObject({ kind: 'broken', message: expect.stringContaining('SIGSEGV') });
    const second = begin();
    second.child.say({ type: 'exit', outcome: { kind: 'crashed' } });
    expect((await second.exit).kind).toBe('broken');
  });

  it('is stopped when whoever takes the output fails', async () => {
    const { child, exit } = begin({
      stdout: () => {
        throw new Error('the disk is full');
      },
    });
    child.say({ type: 'output', fd: 1, bytes: bytes(1) });
    expect((await exit).kind).toBe('broken');
  });

  it('ends at its timeout even if the process never says a word', async () => {
    const { child, exit } = begin({ timeoutMs: 20 });
    expect(await exit).toEqual({ kind: 'timed_out' });
    expect(child.isKilled).toBe(true);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runtime } from '../../contract/runtime.ts';
import type { DoorRequest, DoorResponse, EgressDoor } from '../core/door.ts';
import type { Backend, SandboxExit } from './backend.ts';
import { anyTunnel } from './testDoor.ts';

/** The same small programs in the language of a backend. */
export type ContractPrograms = Readonly<{
  /** Prints `out` to stdout and `err` to stderr, each with a line end. */
  speaks: string;
  exitsWith3: string;
  /** Fails with an error that nobody catches and that says `boom`. */
  throws: string;
  /** Prints the value of `GREETING`, then how many variables there are. */
  printsEnvironment: string;
  /** Never ends and never lets go of the processor. */
  spins: string;
  /** POSTs `ping` to https://api.test/echo with header `x-a: b` and prints status and body of the answer. */
  fetches: string;
  /** Prints `clean` unless an earlier run of this program left something behind, then leaves something. */
  leavesTraces: string;
}>;

const quietDoor: EgressDoor = { ...anyTunnel, request: () => Promise.reject(new Error('no door in this test')) };

type Outcome = Readonly<{ exit: SandboxExit; stdout: string; stderr: string }>;

/** What every adapter of `Backend` keeps to. Registers its tests; `makeBackend` is called once. */
export function backendContract(
  name: string,
  makeBackend: () => Backend,
  runtime: Runtime,
  programs: ContractPrograms,
): void {
  describe(`${name} keeps the contract of a backend`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = makeBackend();
      await backend.start();
    }, 30_000);
    afterAll(() => backend.stop());

    async function run(
      code: string,
      options: Readonly<{
        env?: Record<string, string>;
        egress?: EgressDoor;
        signal?: AbortSignal;
        timeoutMs?: number;
      }> = {},
    ): Promise<Outcome> {
      const stdout: Uint8Array[] = [];
      const stderr: Uint8Array[] = [];
      const exit = await backend.run(
        {
          runId: 'run_contract',
          runtime,
          code: new TextEncoder().encode(code),
          env: options.env ?? {},
          limits: { timeoutMs: options.timeoutMs ?? 10_000, memoryMb: 256, cpus: 0.5 },
        },
        {
          stdout: (chunk) => stdout.push(chunk),
          stderr: (chunk) => stderr.push(chunk),
          egress: options.egress ?? quietDoor,
          signal: options.signal ?? new AbortController().signal,
        },
      );
      return { exit, stdout: Buffer.concat(stdout).toString('utf8'), stderr: Buffer.concat(stderr).toString('utf8') };
    }

    it('is ready once it was started', () => {
      expect(backend.status(runtime)).toEqual({ ready: true });
      expect(backend.runtimes).toContain(runtime);
      const carrier = backend.carrier(runtime);
      expect(backend.carries(runtime, carrier)).toBe(true);
      expect(backend.carries(runtime, { ...carrier, image: 'another' })).toBe(false);
    });

    it('keeps stdout and stderr apart and tells exit code 0', async () => {
      expect(await run(programs.speaks)).toEqual({
        exit: { kind: 'exited', exitCode: 0 },
        stdout: 'out\n',
        stderr: 'err\n',
      });
    });

    it('passes on the exit code of the code', async () => {
      expect((await run(programs.exitsWith3)).exit).toEqual({ kind: 'exited', exitCode: 3 });
    });

    it('reports an error that nobody caught on stderr, with exit code 1', async () => {
      const { exit, stderr } = await run(programs.throws);
      expect(exit).toEqual({ kind: 'exited', exitCode: 1 });
      expect(stderr).toContain('boom');
    });

    it('gives the code the environment of the job and nothing else', async () => {
      const { stdout } = await run(programs.printsEnvironment, { env: { GREETING: 'hello there' } });
      expect(stdout).toBe('hello there\n1\n');
    });

    it('ends code that never ends at its timeout', async () => {
      const started = performance.now();
      expect((await run(programs.spins, { timeoutMs: 400 })).exit).toEqual({ kind: 'timed_out' });
      expect(performance.now() - started).toBeGreaterThan(390);
    });

    it('ends a run when its signal fires, and does not begin one whose signal has fired', async () => {
      const signal = AbortSignal.timeout(300);
      expect((await run(programs.spins, { signal })).exit).toEqual({ kind: 'killed' });
      expect(await run(programs.speaks, { signal: AbortSignal.abort() })).toEqual({
        exit: { kind: 'killed' },
        stdout: '',
        stderr: '',
      });
    });

    it('carries requests to the door and answers back', async () => {
      const seen: DoorRequest[] = [];
      const bodies: string[] = [];
      const egress: EgressDoor = {
        ...anyTunnel,
        async request(request): Promise<DoorResponse> {
          seen.push(request);
          // While the run lasts: a body in pieces ends with it.
          bodies.push(await textOf(request.body));
          return { status: 201, statusText: 'Created', headers: [['x-c', 'd']], body: chunks('po', 'ng') };
        },
      };
      const { stdout } = await run(programs.fetches, { egress });
      expect(stdout).toBe('201 pong\n');
      expect(seen).toHaveLength(1);
      expect(seen[0]?.method).toBe('POST');
      // A tunnel names the port of its target even where it is the usual one.
      expect(new URL(seen[0]?.url ?? '').href).toBe('https://api.test/echo');
      expect(seen[0]?.headers.map(([header, value]) => [header.toLowerCase(), value])).toContainEqual(['x-a', 'b']);
      expect(bodies).toEqual(['ping']);
    });

    it('gives up the open requests of a run that is ended', async () => {
      const aborted = event();
      const ending = new AbortController();
      const egress: EgressDoor = {
        ...anyTunnel,
        request: (request) =>
          new Promise((_resolve, reject) => {
            request.signal?.addEventListener('abort', () => {
              aborted.happens();
              reject(new Error('given up'));
            });
            ending.abort();
          }),
      };
      expect((await run(programs.fetches, { egress, signal: ending.signal })).exit).toEqual({ kind: 'killed' });
      await aborted.happened;
    });

    it('lets no run see what another left behind', async () => {
      expect((await run(programs.leavesTraces)).stdout).toBe('clean\n');
      expect((await run(programs.leavesTraces)).stdout).toBe('clean\n');
    });

    it('runs several jobs at once', async () => {
      const runs = await Promise.all(Array.from({ length: 3 }, () => run(programs.speaks)));
      expect(runs.map(({ stdout }) => stdout)).toEqual(['out\n', 'out\n', 'out\n']);
    });

    it('refuses a runtime that it does not have', async () => {
      const missing = (['python', 'quickjs'] as const).find((other) => !backend.runtimes.includes(other)) ?? 'node';
      const exit = await backend.run(
        {
          runId: 'run_x',
          runtime: missing,
          code: new Uint8Array(0),
          env: {},
          limits: { timeoutMs: 1000, memoryMb: 64, cpus: 1 },
        },
        { stdout: () => {}, stderr: () => {}, egress: quietDoor, signal: new AbortController().signal },
      );
      expect(exit.kind).toBe('broken');
    });

    it('ends what is running when it is stopped', async () => {
      const own = makeBackend();
      await own.start();
      const started = event();
      const egress: EgressDoor = {
        ...anyTunnel,
        request: (request) =>
          new Promise((_resolve, reject) => {
            request.signal?.addEventListener('abort', () => reject(new Error('given up')));
            started.happens();
          }),
      };
      const running = own.run(
        {
          runId: 'run_y',
          runtime,
          code: new TextEncoder().encode(programs.fetches),
          env: {},
          limits: { timeoutMs: 20_000, memoryMb: 256, cpus: 1 },
        },
        { stdout: () => {}, stderr: () => {}, egress, signal: new AbortController().signal },
      );
      await started.happened;
      await own.stop();
      expect(await running).toEqual({ kind: 'killed' });
    });
  }, 30_000);
}

function event(): Readonly<{ happens: () => void; happened: Promise<void> }> {
  let happens = () => {};
  const happened = new Promise<void>((resolve) => {
    happens = resolve;
  });
  return { happens: () => happens(), happened };
}

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text);
}

async function textOf(body: DoorRequest['body']): Promise<string> {
  if (body === null) return '';
  if (body instanceof Uint8Array) return new TextDecoder().decode(body);
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}

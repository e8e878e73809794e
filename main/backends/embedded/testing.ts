import { fileURLToPath } from 'node:url';
import type { HostMessage } from '../../../contract/sandboxMessages.ts';
import type { EgressDoor } from '../../core/door.ts';
import { silentLog } from '../../core/log.ts';
import type { SandboxExit } from '../../runs/backend.ts';
import { anyTunnel } from '../../runs/testDoor.ts';
import { EmbeddedBackend } from './backend.ts';
import type { SandboxChild } from './childLauncher.ts';
import { NodeChildLauncher } from './nodeChild.ts';

/** For tests: processes of the sandbox program as it stands in the source tree. */
export function sandboxProgram(): NodeChildLauncher {
  return new NodeChildLauncher(fileURLToPath(new URL('../../../sandbox/quickjs/child.ts', import.meta.url)));
}

/** For tests: a door behind which there is nothing. */
export const closedDoor: EgressDoor = {
  ...anyTunnel,
  request: () => Promise.reject(Object.assign(new Error('there is nothing at 10.0.0.7'), { code: 'CLOSED' })),
};

/** For tests: a child that says what the test tells it to; it dies when it is killed. */
export class ScriptedChild implements SandboxChild {
  readonly received: HostMessage[] = [];
  isKilled = false;
  #say: (message: unknown) => void = () => {};
  #exit: (reason: string) => void = () => {};

  send(message: HostMessage): void {
    this.received.push(message);
  }
  onMessage(listener: (message: unknown) => void): void {
    this.#say = listener;
  }
  onExit(listener: (reason: string) => void): void {
    this.#exit = listener;
  }
  kill(): void {
    this.isKilled = true;
    queueMicrotask(() => this.#exit('SIGKILL'));
  }
  say(message: unknown): void {
    this.#say(message);
  }
  die(reason: string): void {
    this.#exit(reason);
  }
}

export type ProgramOptions = Readonly<{
  env?: Readonly<Record<string, string>>;
  egress?: EgressDoor;
  signal?: AbortSignal;
  timeoutMs?: number;
  memoryMb?: number;
}>;

export type Ran = Readonly<{ exit: SandboxExit; stdout: string; stderr: string; outputBytes: number }>;

const keptBytes = 4 * 1024 * 1024;

/** For tests: a started backend and a way to run code in it. Output beyond 4 MiB is counted and not kept. */
export async function programRunner(): Promise<{
  run(code: string | Uint8Array, options?: ProgramOptions): Promise<Ran>;
  stop(): Promise<void>;
}> {
  const backend = new EmbeddedBackend({ launcher: sandboxProgram(), poolSize: 2, log: silentLog });
  await backend.start();
  const run = async (code: string | Uint8Array, options: ProgramOptions = {}): Promise<Ran> => {
    const kept: Record<'stdout' | 'stderr', Uint8Array[]> = { stdout: [], stderr: [] };
    let outputBytes = 0;
    const keeper = (name: 'stdout' | 'stderr') => (chunk: Uint8Array) => {
      outputBytes += chunk.byteLength;
      if (outputBytes <= keptBytes) kept[name].push(chunk);
    };
    const exit = await backend.run(
      {
        runId: 'run_test',
        runtime: 'quickjs',
        code: typeof code === 'string' ? new TextEncoder().encode(code) : code,
        env: options.env ?? {},
        limits: { timeoutMs: options.timeoutMs ?? 30_000, memoryMb: options.memoryMb ?? 256, cpus: 0.5 },
      },
      {
        stdout: keeper('stdout'),
        stderr: keeper('stderr'),
        egress: options.egress ?? closedDoor,
        signal: options.signal ?? new AbortController().signal,
      },
    );
    const [stdout, stderr] = [kept.stdout, kept.stderr].map((chunks) => Buffer.concat(chunks).toString('utf8'));
    return { exit, stdout: stdout ?? '', stderr: stderr ?? '', outputBytes };
  };
  return { run, stop: () => backend.stop() };
}

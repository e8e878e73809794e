import type { Runtime } from '../../contract/runtime.ts';
import type { EgressDoor } from '../core/door.ts';
import type { Backend, SandboxExit } from '../runs/backend.ts';
import { anyTunnel } from '../runs/testDoor.ts';

/** For tests: a door behind which there is nothing. */
export const closedDoor: EgressDoor = {
  ...anyTunnel,
  request: () => Promise.reject(Object.assign(new Error('there is nothing at 10.0.0.7'), { code: 'CLOSED' })),
};

export type ProgramOptions = Readonly<{
  env?: Readonly<Record<string, string>>;
  egress?: EgressDoor;
  signal?: AbortSignal;
  timeoutMs?: number;
  memoryMb?: number;
  cpus?: number;
}>;

export type Ran = Readonly<{ exit: SandboxExit; stdout: string; stderr: string; outputBytes: number }>;

const keptBytes = 4 * 1024 * 1024;

/** For tests: runs code in a backend. Output beyond 4 MiB is counted and not kept. */
export async function runProgram(
  backend: Pick<Backend, 'run'>,
  runtime: Runtime,
  code: string | Uint8Array,
  options: ProgramOptions = {},
): Promise<Ran> {
  const kept: Record<'stdout' | 'stderr', Uint8Array[]> = { stdout: [], stderr: [] };
  let outputBytes = 0;
  const keeper = (name: 'stdout' | 'stderr') => (chunk: Uint8Array) => {
    outputBytes += chunk.byteLength;
    if (outputBytes <= keptBytes) kept[name].push(chunk);
  };
  const exit = await backend.run(
    {
      runId: 'run_test',
      runtime,
      code: typeof code === 'string' ? new TextEncoder().encode(code) : code,
      env: options.env ?? {},
      limits: {
        timeoutMs: options.timeoutMs ?? 30_000,
        memoryMb: options.memoryMb ?? 256,
        cpus: options.cpus ?? 0.5,
      },
    },
    {
      stdout: keeper('stdout'),
      stderr: keeper('stderr'),
      egress: options.egress ?? closedDoor,
      signal: options.signal ?? new AbortController().signal,
    },
  );
  const text = (name: 'stdout' | 'stderr'): string => Buffer.concat(kept[name]).toString('utf8');
  return { exit, stdout: text('stdout'), stderr: text('stderr'), outputBytes };
}

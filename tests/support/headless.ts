import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { noEngine } from './noEngine.ts';

const root = join(import.meta.dirname, '..', '..');

export type Finished = Readonly<{ code: number | null; stdout: string; stderr: string }>;

/** A broker in a process of its own, as a watching program sees it. */
export type Headless = Readonly<{
  url: string;
  pid: number;
  readyLine: string;
  stderr(): string;
  /** As a power cut: nothing of the process gets to do anything. */
  killNow(): Promise<void>;
  /** SIGTERM; answers the exit code. */
  stop(): Promise<number | null>;
}>;

/** What a process needs of our own environment; nothing of it configures the app. */
const bareEnvironment = (): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  HOME: '/nonexistent',
  ...noEngine,
});

function collect(child: ChildProcess): Readonly<{ stdout: () => string; stderr: () => string }> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr?.on('data', (chunk) => {
    stderr += String(chunk);
  });
  return { stdout: () => stdout, stderr: () => stderr };
}

/** Runs one of our programs to its end. */
export async function runProgram(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input = '',
): Promise<Finished> {
  const child = spawn(process.execPath, [join(root, file), ...args], { env: { ...bareEnvironment(), ...env } });
  const output = collect(child);
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code, stdout: output.stdout(), stderr: output.stderr() };
}

/** `oauth3 <args>` for the broker of that environment. */
export const oauth3 = (env: Readonly<Record<string, string>>, args: readonly string[], input = ''): Promise<Finished> =>
  runProgram('cli/index.ts', args, env, input);

/** Starts `main/headless.ts` and waits for its ready line. Rejects with what it said when it ends before. */
export async function startHeadless(env: Readonly<Record<string, string>>): Promise<Headless> {
  const child = spawn(process.execPath, [join(root, 'main/headless.ts')], {
    env: { ...bareEnvironment(), PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = collect(child);
  const closed = once(child, 'close').then(([code]) => (typeof code === 'number' ? code : null));
  const readyLine = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', () => {
      const line = /^oauth3 ready .*$/m.exec(output.stdout())?.[0];
      if (line !== undefined && output.stdout().includes('\n')) resolve(line);
    });
    void closed.then((code) => reject(new Error(`headless ended with ${code}: ${output.stderr()}`)));
  });
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return closed;
  };
  return {
    url: readyLine.split(' ')[2] ?? '',
    pid: child.pid ?? 0,
    readyLine,
    stderr: output.stderr,
    killNow: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export type Running = Readonly<{ child: ChildProcess; line: string; stop: () => Promise<void> }>;

/** Starts a program and waits for the first line of its output that `ready` accepts. `noisy`: its stderr is dropped. */
export function startProgram(
  command: readonly [program: string, ...args: string[]],
  env: NodeJS.ProcessEnv,
  ready: (line: string) => boolean,
  noisy = false,
): Promise<Running> {
  return new Promise((resolve, reject) => {
    const [program, ...args] = command;
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', noisy ? 'ignore' : 'inherit'] });
    const ended = new Promise<void>((done) => child.once('close', () => done()));
    child.once('close', (code) => reject(new Error(`${command.join(' ')} ended with exit ${code}`)));
    if (child.stdout === null) throw new Error('no output to wait for');
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!ready(line)) return;
      const stop = async (): Promise<void> => {
        child.kill('SIGTERM');
        await ended;
      };
      resolve({ child, line, stop });
    });
  });
}

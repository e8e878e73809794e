import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import path from 'node:path';

export type CommandResult = Readonly<{ code: number; stdout: string; stderr: string }>;

type CommandOptions = Readonly<{ cwd?: string; env?: NodeJS.ProcessEnv; timeoutMs?: number; show?: boolean }>;

/**
 * Runs a program to its end and gives what it printed. A program that is missing, ends by a signal or outlives
 * `timeoutMs` has code -1. With `show` the output goes to our own streams instead.
 */
export const run = (program: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> =>
  new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', options.show ? 'inherit' : 'pipe', options.show ? 'inherit' : 'pipe'],
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', (error) => resolve({ code: -1, stdout, stderr: `${stderr}${error.message}` }));
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });

/** Where a program stands in PATH, or undefined. */
export const which = async (program: string): Promise<string | undefined> => {
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    const candidate = path.join(folder, program);
    const found = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (folder && found) return candidate;
  }
  return undefined;
};

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import type { RunnerExit } from '../../contract/runner.ts';
import type { RunnerJob } from '../../contract/runnerProtocol.ts';
import { killEverything } from './ending.ts';
import { writeJobFiles } from './jobFiles.ts';
import { memoryKills, sacrifice } from './memoryKills.ts';

export type JobOutput = Readonly<{ stdout: Writable; stderr: Writable }>;

const failure = (error: unknown): RunnerExit => ({
  code: null,
  signal: null,
  timedOut: false,
  outOfMemory: false,
  failed: (error instanceof Error ? error.message : String(error)).slice(0, 300),
});

const start = (job: RunnerJob): ChildProcessWithoutNullStreams => {
  const [program = '', ...args] = job.command;
  return spawn(program, args, { cwd: job.cwd, env: job.env, detached: true, stdio: 'pipe' });
};

/** Resolves when the process has ended and all its output was taken. */
const watch = (child: ChildProcessWithoutNullStreams, timeoutMs: number): Promise<RunnerExit> =>
  new Promise((resolve) => {
    const killsBefore = memoryKills();
    let timedOut = false;
    const deadline = setTimeout(() => {
      timedOut = true;
      killEverything();
    }, timeoutMs);
    child.once('error', (error) => {
      clearTimeout(deadline);
      resolve(failure(error));
    });
    // Before 'close', which does not come while something that the job left behind holds its stdout.
    child.once('exit', () => {
      clearTimeout(deadline);
      killEverything();
    });
    child.once('close', (code, signal) =>
      resolve({ code, signal, timedOut, outOfMemory: memoryKills() > killsBefore }),
    );
  });

const ended = (stream: Writable): Promise<void> =>
  new Promise((resolve) => stream.once('finish', () => resolve()).end());

/**
 * Runs the job to its end or its deadline. Resolves when nothing of it is left and its output was sent; a host that
 * does not read stops the job, because nothing here holds more than a pipe's worth. Never rejects.
 */
export const runJob = async (job: RunnerJob, output: JobOutput): Promise<RunnerExit> => {
  let exit: RunnerExit;
  try {
    writeJobFiles(job);
    const child = start(job);
    if (child.pid !== undefined) sacrifice(child.pid);
    child.stdout.pipe(output.stdout, { end: false });
    child.stderr.pipe(output.stderr, { end: false });
    // EPIPE: code need not read its input.
    child.stdin.on('error', () => undefined).end(Buffer.from(job.stdin, 'base64'));
    exit = await watch(child, job.timeoutMs);
  } catch (error) {
    exit = failure(error);
  }
  await Promise.all([ended(output.stdout), ended(output.stderr)]);
  return exit;
};

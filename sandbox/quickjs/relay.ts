import { Worker } from 'node:worker_threads';
import { openTransport } from './transport.ts';

/**
 * Deep recursion has to meet the limit of QuickJS (128 KiB of its own stack) before that of V8, or the engine breaks
 * in the middle of something (ATTACKS 268). Only a worker can be given a larger stack wherever this runs: Electron
 * ignores the flag.
 */
const stackSizeMb = 4;
const maxOldGenerationSizeMb = 256;

/** Starts `entry` (URL of a file) again as the thread of the program, without an environment or a console. */
export function guestThread(entry: string): Worker {
  return new Worker(new URL(entry), {
    env: {},
    stdout: true,
    stderr: true,
    resourceLimits: { stackSizeMb, maxOldGenerationSizeMb },
  });
}

/**
 * The first thread: passes messages between the host and the thread of the program, and stays free, so that it
 * notices when the host is gone while the program keeps the other one busy. `entry`: URL of the file to start again.
 */
export function relay(entry: string): void {
  const worker = guestThread(entry);
  const transport = openTransport(die);
  worker.on('message', transport.send);
  worker.on('error', die);
  worker.on('exit', die);
  transport.listen((message) => worker.postMessage(message));
}

/** For certain, also while the other thread is inside native code. */
function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

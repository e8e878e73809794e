/**
 * Given to a process with `--import`: at SIGUSR2 it collects its garbage and appends one line of JSON to MEMORY_LOG, so
 * that what is measured is what the process holds, and not how lazy its collector is.
 */
import { appendFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');
process.on('SIGUSR2', () => {
  if (typeof collect === 'function') collect();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  appendFileSync(process.env.MEMORY_LOG ?? '/dev/null', `${JSON.stringify({ rss, held: heapUsed + arrayBuffers })}\n`);
});

import { isMainThread } from 'node:worker_threads';

/**
 * A sandbox process: gets ready, takes one job, runs it, is killed. It is started with an empty environment; the job
 * brings placeholders only. The program runs in a second thread, see relay.ts.
 */
if (isMainThread) (await import('./relay.ts')).relay(import.meta.url);
else await (await import('./guest.ts')).serve();

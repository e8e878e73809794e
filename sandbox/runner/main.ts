import { runnerProtocol } from '../../contract/runnerProtocol.ts';
import { leave } from './ending.ts';
import { runJob } from './job.ts';
import { JobProxy } from './proxy.ts';
import { awaitGreeting, StdioConnection, takeStdio } from './stdio.ts';
import { awaitJob, openTunnel, openUpward } from './tunnel.ts';

/**
 * PID 1 of a sandbox: says that it is ready, takes one job, runs it, tells how it ended, and goes when the host goes.
 * It holds no secret, no policy and no key: whoever takes it over can do what the job can.
 */
const main = async (): Promise<void> => {
  const { paths, hostGreeting, runnerGreeting } = runnerProtocol;
  const stdio = takeStdio();
  stdio.output.on('error', (error) => leave(`stdout: ${error.message}`));
  stdio.input.on('error', (error) => leave(`stdin: ${error.message}`));
  // Whatever is going on: without a host there is no run.
  stdio.input.on('end', () => leave());
  const proxy = await JobProxy.listen();
  stdio.output.write(runnerGreeting);
  const session = openTunnel(new StdioConnection(stdio, await awaitGreeting(stdio.input, hostGreeting)));
  const job = await awaitJob(session);
  proxy.open(session);
  const exit = await runJob(job, {
    stdout: openUpward(session, paths.stdout),
    stderr: openUpward(session, paths.stderr),
  });
  openUpward(session, paths.exit).end(JSON.stringify(exit));
};

const refusal = (): string | null => {
  if (process.pid !== 1) return 'it kills every process it can see, so it starts only as PID 1 of a container';
  if (!process.execArgv.includes('--disable-sigusr1')) return 'it wants the flags of contract/runnerProtocol.ts';
  return null;
};

const refused = refusal();
if (refused !== null) leave(refused);
process.on('uncaughtException', (error) => leave(error.stack ?? error.message));
// The job may send these. Node's own handlers would set stdout to blocking, and one slow reader would stop everything.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
main().catch((error: unknown) => leave(error instanceof Error ? error.message : String(error)));

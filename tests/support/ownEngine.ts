import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { containerLabels } from '../../main/backends/docker/containerSpec.ts';
import { isRoot } from '../../scripts/setup/checkout.ts';
import { which } from '../../scripts/setup/command.ts';
import { type EnginePlace, engineProcess, startEngine } from '../../scripts/setup/engineProcess.ts';
import { withEngine } from '../../scripts/setup/engineSocket.ts';
import { engineUnderTest } from './testEngine.ts';

/** An engine that nobody else uses, so that it can be killed. */
export type OwnEngine = Readonly<{
  /** For DOCKER_HOST. */
  url: string;
  /** Copies an image of the engine of this test run. */
  bring(imageId: string): Promise<void>;
  /** Ids of containers in any state that one installation made. */
  containersOf(installId: string): Promise<readonly string[]>;
  /** As a crash of the engine: its containers go on without it. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}>;

/** Whether one can be started here. */
export const mayHaveOwnEngine = async (): Promise<boolean> =>
  process.platform === 'linux' && isRoot && (await which('dockerd')) !== undefined;

const listSchema = z.array(z.looseObject({ Id: z.string() }));
const endLimitMs = 20_000;

async function untilGone(pid: number): Promise<void> {
  const deadline = Date.now() + endLimitMs;
  // Not its child any more when it was started, so nobody tells.
  while ((await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')).includes(') Z') === false) {
    if (Date.now() > deadline) throw new Error(`process ${pid} does not end`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Starts one on a folder of its own, without networks. Close it after the test. */
export async function openOwnEngine(): Promise<OwnEngine> {
  // Not in /tmp: images need a file system that overlays can stand on.
  const folder = await mkdtemp('/var/tmp/oauth3-engine-');
  const socketPath = path.join(folder, 'engine.sock');
  const place: EnginePlace = {
    url: `unix://${socketPath}`,
    pidFile: path.join(folder, 'pid'),
    configFile: path.join(folder, 'none.json'),
    folder: path.join(folder, 'own'),
    args: [
      `--data-root=${path.join(folder, 'data')}`,
      `--exec-root=${path.join(folder, 'exec')}`,
      ...['--bridge=none', '--iptables=false', '--ip-forward=false'],
    ],
  };
  const start = async (): Promise<void> => {
    const started = await startEngine(place);
    if (!('engine' in started)) throw new Error(started.reason);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const found = await engineProcess(place);
    if (found === undefined) return;
    process.kill(found.pid, signal);
    await untilGone(found.pid);
  };
  await start();
  return {
    url: place.url,
    start,
    async kill() {
      await end('SIGKILL');
      // Its containerd dies with it. Where nobody reaps that, the next engine takes it for alive and waits 15 s for it.
      await rm(path.join(folder, 'exec', 'containerd', 'containerd.pid'), { force: true });
    },
    async bring(imageId) {
      const load = request({
        socketPath,
        method: 'POST',
        path: '/images/load',
        headers: { 'content-type': 'application/x-tar' },
      });
      const fetched = request({ socketPath: engineUnderTest().socketPath, path: `/images/${imageId}/get` });
      const answered = once(load, 'response');
      fetched.once('response', (image) => image.pipe(load));
      fetched.end();
      const [answer] = await answered;
      let said = '';
      for await (const part of answer) said += String(part);
      if (answer.statusCode !== 200 || said.includes('"error"')) throw new Error(`not loaded: ${said}`);
    },
    async containersOf(installId) {
      const filters = JSON.stringify({ label: [`${containerLabels.install}=${installId}`] });
      const call = { method: 'GET', path: '/containers/json', query: { all: '1', filters } } as const;
      return (await withEngine(socketPath, (api) => api.json(call, listSchema))).map(({ Id }) => Id);
    },
    async close() {
      // In order: it then ends what it holds, also the process that holds its containers.
      if ((await engineProcess(place)) === undefined) await start();
      await end('SIGTERM');
      await promisify(execFile)('umount', ['-R', '-l', path.join(folder, 'data')]).catch(() => {});
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

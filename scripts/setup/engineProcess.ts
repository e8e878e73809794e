import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cacheDirectory } from './checkout.ts';
import { defaultEngineUrl, type EngineSocket, engineAt } from './engineSocket.ts';

const START_LIMIT_MS = 30_000;
const END_LIMIT_MS = 5_000;
const POLL_MS = 100;
const TAIL_BYTES = 64 * 1024;

/** Where an engine and its files stand. Only our own trials use another place than the usual one. */
export type EnginePlace = Readonly<{
  url: string;
  pidFile: string;
  /** The configuration that an engine reads unless it is told another. */
  configFile: string;
  /** Our log and our configuration. */
  folder: string;
  /** More of dockerd's command line. */
  args: readonly string[];
}>;

export const usualPlace: EnginePlace = {
  url: defaultEngineUrl,
  pidFile: '/var/run/docker.pid',
  configFile: '/etc/docker/daemon.json',
  folder: path.join(cacheDirectory, 'engine'),
  args: [],
};

/** gVisor as Debian's runsc runs: kvm hangs in a virtual machine, and network and control groups are the engine's. */
export const gvisorConfig = `${JSON.stringify({
  runtimes: {
    runsc: { path: '/usr/bin/runsc', runtimeArgs: ['--platform=ptrace', '--ignore-cgroups', '--network=none'] },
  },
})}\n`;

/** A machine whose kernel filters no packets still runs containers without a network, which is all that ours have. */
const withoutNetworks = ['--bridge=none', '--iptables=false', '--ip-forward=false'];

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

/** The process of the engine at this place, with its command line; undefined when none runs. */
export const engineProcess = async (
  place: EnginePlace,
): Promise<Readonly<{ pid: number; command: readonly string[] }> | undefined> => {
  const pid = Number.parseInt(await readFile(place.pidFile, 'utf8').catch(() => ''), 10);
  if (!(pid > 0)) return undefined;
  const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0').slice(0, -1);
  return path.basename(command[0] ?? '') === 'dockerd' ? { pid, command } : undefined;
};

/** Waits until an engine answers at `url` as `wanted`; undefined when that takes too long, or it is not `alive` before. */
export const untilEngine = async (
  url: string,
  wanted: (engine: EngineSocket) => boolean = () => true,
  alive: () => boolean = () => true,
): Promise<EngineSocket | undefined> => {
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    const engine = await engineAt(url);
    if (engine && wanted(engine)) return engine;
    if (!alive() || Date.now() > deadline) return undefined;
    await delay(POLL_MS);
  }
};

/** The engine's own last words: the line that says why it ended, else its last line. */
export const lastWords = (log: string): string => {
  const lines = log.trimEnd().split('\n');
  const line = lines.findLast((text) => text.startsWith('failed to start')) ?? lines.at(-1) ?? '';
  return /msg="(?<words>(?:[^"\\]|\\.)*)"/.exec(line)?.groups?.words ?? line;
};

type Attempt = Readonly<{ engine: EngineSocket; stop(): Promise<void> }> | Readonly<{ reason: string }>;

const attempt = async (place: EnginePlace, args: readonly string[]): Promise<Attempt> => {
  const logFile = path.join(place.folder, 'log');
  const log = await open(logFile, 'w', 0o600);
  // A session of its own and no pipe of ours: it outlives this process, and nobody who waits for our output waits for it.
  const child = spawn('dockerd', ['-H', place.url, '--pidfile', place.pidFile, '--log-level', 'warn', ...args], {
    cwd: '/',
    detached: true,
    env: { PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`, HOME: '/root' },
    stdio: ['ignore', log.fd, log.fd],
  });
  let problem = '';
  child.once('error', (error) => {
    problem = error.message;
  });
  const alive = (): boolean => problem === '' && child.exitCode === null && child.signalCode === null;
  const stop = async (): Promise<void> => {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await Promise.race([exited, delay(END_LIMIT_MS, undefined, { ref: false })]);
    if (alive()) child.kill('SIGKILL');
  };
  const engine = await untilEngine(place.url, undefined, alive);
  await log.close();
  if (engine) {
    child.unref();
    return { engine, stop };
  }
  if (alive()) {
    await stop();
    problem = `no answer within ${START_LIMIT_MS / 1000} s`;
  }
  const said = (await readFile(logFile, 'utf8')).slice(-TAIL_BYTES);
  return { reason: problem || lastWords(said) || 'it ended without a word' };
};

/**
 * Starts the engine, detached and quiet (its output goes to `log` in the folder), with gVisor registered; an existing
 * configuration of the machine is used as it is. `reason`: why none can run here, in the engine's own words.
 */
export const startEngine = async (place: EnginePlace): Promise<Attempt> => {
  await mkdir(place.folder, { recursive: true });
  // A pid file that an engine left behind keeps the next one from starting once its number is somebody else's.
  if (!(await engineProcess(place))) await rm(place.pidFile, { force: true });
  const ownConfig = path.join(place.folder, 'daemon.json');
  const config = (await exists(place.configFile)) ? [] : [`--config-file=${ownConfig}`];
  if (config.length > 0) await writeFile(ownConfig, gvisorConfig);
  const first = await attempt(place, [...config, ...place.args]);
  if ('engine' in first) return first;
  const second = await attempt(place, [...config, ...withoutNetworks, ...place.args]);
  return 'engine' in second ? second : first;
};

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { chmod, copyFile, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { Duplex, PassThrough } from 'node:stream';
import { runnerNodeFlags } from '../../contract/runnerProtocol.ts';
import { imageBasis } from '../../main/backends/docker/imageBasis.ts';
import { isRoot } from '../../scripts/setup/checkout.ts';
import { ensureRunnerBuilt } from '../../scripts/setup/runnerBuild.ts';
import { RunnerHost } from './runnerHost.ts';

const uid = imageBasis.user;

/**
 * What the runner's end of a container looks like, out of the kernel's parts: own processes (the runner is PID 1 and
 * its kill -1 stays inside), own network with a loopback only, own /tmp, another uid.
 */
const isolated = (command: readonly string[], openFiles: number): readonly string[] => {
  const script = [
    'mount -t tmpfs -o size=64m,mode=1777 tmpfs /tmp',
    `perl -e 'socket(S, 2, 1, 0); $up = pack("a16sx22", "lo", 1); ioctl(S, 0x8914, $up) or die "no loopback: $!"'`,
    `ulimit -n ${openFiles}`,
    'exec "$@"',
  ].join(' && ');
  // `env` because setpriv keeps capabilities until the next exec, and with them node would be readable after all.
  const become = isRoot
    ? ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--no-new-privs', 'env']
    : [];
  const user = isRoot ? [] : ['--user', '--map-root-user'];
  const spaces = ['--pid', '--fork', '--kill-child', '--mount-proc', '--net', '--ipc'];
  return ['unshare', ...user, ...spaces, 'sh', '-c', script, 'sh', ...become, ...command];
};

/** The files of a runner's image that matter here, in a folder that every user can reach. */
export type RunnerFiles = Readonly<{
  /** Execute-only, as in images: a process of it cannot be looked into. */
  node: string;
  runner: string;
  remove(): Promise<void>;
}>;

export const layOutRunner = async (): Promise<RunnerFiles> => {
  const built = await ensureRunnerBuilt();
  const folder = await mkdtemp('/var/tmp/oauth3-runner-');
  await chmod(folder, 0o755);
  const [node, runner] = [path.join(folder, 'node'), path.join(folder, 'runner.mjs')];
  await copyFile(process.execPath, node, constants.COPYFILE_FICLONE);
  await chmod(node, 0o711);
  await copyFile(built, runner);
  await chmod(runner, 0o444);
  return { node, runner, remove: () => rm(folder, { recursive: true, force: true }) };
};

export type RunnerProcess = Readonly<{
  child: ChildProcessWithoutNullStreams;
  /** Of all that was started: the wrapper ends with the runner, because it is the PID 1 that it waits for. */
  exited: Promise<number | null>;
  /** What the runner told about itself; complete once it has exited. */
  log: () => string;
}>;

export type RunnerStart = Readonly<{ flags?: readonly string[]; openFiles?: number }>;

/** Starts the built runner as PID 1. */
export const startRunner = (files: RunnerFiles, start: RunnerStart = {}): RunnerProcess => {
  const { flags = runnerNodeFlags, openFiles = 512 } = start;
  const [program = '', ...args] = isolated([files.node, ...flags, files.runner], openFiles);
  const child = spawn(program, args, { stdio: 'pipe', env: { PATH: process.env.PATH } });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  child.stdin.on('error', () => undefined);
  // Not 'close', which waits until somebody has read all of stdout.
  const exited = Promise.all([once(child, 'exit'), once(child.stderr, 'close')]).then(([[code]]) => code);
  return { child, exited, log: () => text };
};

export type RunnerPair = RunnerProcess &
  Readonly<{
    host: RunnerHost;
    /** The host reads nothing at all any more. */
    stall(): void;
  }>;

/** A runner and its host. */
export const startPair = (files: RunnerFiles, start?: RunnerStart): RunnerPair => {
  const runner = startRunner(files, start);
  const { stdin, stdout } = runner.child;
  const readable = stdout.pipe(new PassThrough());
  const connection = Duplex.from({ readable, writable: stdin });
  connection.on('error', () => undefined);
  return { ...runner, host: new RunnerHost(connection), stall: () => stdout.unpipe(readable) };
};

import { afterAll, afterEach, beforeAll } from 'vitest';
import type { RunnerJob } from '../../contract/runnerProtocol.ts';
import { jobOf } from './runnerHost.ts';
import {
  layOutRunner,
  type RunnerFiles,
  type RunnerPair,
  type RunnerProcess,
  type RunnerStart,
  startPair,
  startRunner,
} from './runnerProcess.ts';

/** For the tests of one file: lays the runner out before them, and ends what each of them started. */
export type RunnerRoom = Readonly<{
  files(): RunnerFiles;
  start(how?: RunnerStart): RunnerProcess;
  pair(how?: RunnerStart): RunnerPair;
  /** A job for node: the module's text, in a file. `connect()` in it opens a connection to the proxy. */
  program(code: string, more?: Partial<RunnerJob>): RunnerJob;
}>;

const MODULE = '/tmp/job/main.mjs';
const PROLOGUE = `
import net from 'node:net';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
const connect = (options = {}) => net.connect({ host: '127.0.0.1', port: 3128, allowHalfOpen: true, ...options });
`;

export const runnerRoom = (): RunnerRoom => {
  let files: RunnerFiles;
  let started: RunnerProcess[] = [];
  beforeAll(async () => {
    files = await layOutRunner();
  });
  afterAll(() => files.remove());
  afterEach(async () => {
    for (const { child } of started) child.kill('SIGKILL');
    await Promise.all(started.map(({ exited }) => exited));
    started = [];
  });
  const keep = <Kind extends RunnerProcess>(runner: Kind): Kind => {
    started.push(runner);
    return runner;
  };
  return {
    files: () => files,
    start: (how) => keep(startRunner(files, how)),
    pair: (how) => keep(startPair(files, how)),
    program: (code, more = {}) => {
      const text = Buffer.from(PROLOGUE + code).toString('base64');
      return jobOf([files.node, MODULE], { ...more, files: { [MODULE]: text, ...more.files } });
    },
  };
};

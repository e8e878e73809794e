import { once } from 'node:events';
import { chmod, copyFile, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ElectronApplication, _electron as electron, type Page } from 'playwright-core';
import { inject } from 'vitest';
import type { Desk } from './desk.ts';
import { noEngine } from './noEngine.ts';

const START_LIMIT_MS = 60_000;
const POLL_MS = 25;
const READY = /^oauth3 ready (?<url>\S+) pid=(?<pid>\d+) data=(?<dataDir>.+)$/;

export type LaunchOptions = Readonly<{
  /** Default: a folder of its own in the desk's home. */
  dataDir?: string;
  /** Added to the desk's environment; PORT is 0 unless given. */
  env?: Readonly<Record<string, string>>;
  args?: readonly string[];
}>;

export type RunningApp = Readonly<{
  electron: ElectronApplication;
  /** The bridge. */
  url: string;
  pid: number;
  dataDir: string;
  /** Every line of stdout and stderr so far. */
  output(): Promise<readonly string[]>;
  /** The page of one of our views; waits until it is there. */
  view(name: 'window' | 'decision'): Promise<Page>;
  /** Settles when the app has ended by itself or was stopped: the exit code. */
  ended(): Promise<number | null>;
  /** Orderly shutdown by SIGTERM; the exit code. */
  stop(): Promise<number | null>;
}>;

type Starter = Readonly<{ starter: string; log: string; hold: string }>;

/**
 * A starter that copies both streams into a file from the first byte on: Playwright reads stderr itself while it
 * attaches, and an app may well be ready before it has. Bash, because the process must stay the one that was started.
 */
const writeStarter = async (desk: Desk, executable: string): Promise<Starter> => {
  const folder = await mkdtemp(path.join(desk.home, 'start-'));
  const log = path.join(folder, 'output');
  const starter = path.join(folder, 'start');
  await writeFile(log, '');
  await writeFile(starter, `#!/bin/bash\nexec '${executable}' "$@" >>'${log}' 2> >(exec tee -a '${log}' >&2)\n`);
  await chmod(starter, 0o755);
  // A copy, because the test user cannot read a checkout of root's everywhere.
  const hold = path.join(folder, 'startWhenAttached.cjs');
  await copyFile(path.join(import.meta.dirname, 'startWhenAttached.cjs'), hold);
  await chmod(hold, 0o644);
  await chmod(folder, 0o755);
  return { starter, log, hold };
};

const linesOf = async (log: string): Promise<readonly string[]> =>
  (await readFile(log, 'utf8')).split('\n').slice(0, -1);

type Ready = Readonly<{ url: string; pid: number }>;

/** Waits for the ready line. Throws with all that the app said when it ends first or takes too long. */
const readyOf = async (log: string, hasEnded: () => boolean): Promise<Ready> => {
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    const ended = hasEnded();
    const lines = await linesOf(log);
    for (const line of lines) {
      const facts = READY.exec(line)?.groups;
      if (facts?.url && facts.pid) return { url: facts.url, pid: Number(facts.pid) };
    }
    if (ended || Date.now() > deadline) throw new Error(`the app did not get ready; it said:\n${lines.join('\n')}`);
    await delay(POLL_MS);
  }
};

const viewOf = async (app: ElectronApplication, name: string): Promise<Page> => {
  const isView = (page: Page): boolean => page.url().startsWith(`oauth3://${name}/`);
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    const page = app.windows().find(isView);
    if (page) return page;
    const left = deadline - Date.now();
    if (left <= 0) throw new Error(`the ${name} view did not open`);
    // A page is announced before it has its address, so its first load is waited for as well.
    const opened = await app.waitForEvent('window', { timeout: Math.min(left, 1000) }).catch(() => undefined);
    await opened?.waitForURL(/^oauth3:/, { timeout: left }).catch(() => undefined);
  }
};

/** Starts the built app at a desk, as the test user with the real Chromium sandbox, and waits for its ready line. */
export const launchApp = async (desk: Desk, options: LaunchOptions = {}): Promise<RunningApp> => {
  const stage = inject('stage');
  const dataDir = options.dataDir ?? path.join(desk.home, 'data');
  const { starter, log, hold } = await writeStarter(desk, stage.executable);
  const app = await electron.launch({
    executablePath: starter,
    // Without this Playwright adds --no-sandbox by itself.
    chromiumSandbox: true,
    args: [
      '--disable-gpu',
      `--password-store=${desk.hasKeyring ? 'gnome-libsecret' : 'basic'}`,
      '-r',
      hold,
      stage.app,
      ...(options.args ?? []),
    ],
    env: {
      ...desk.env,
      ...noEngine,
      PORT: '0',
      OAUTH3_DATA_DIR: dataDir,
      ...(stage.sqliteBinding ? { OAUTH3_SQLITE_BINDING: stage.sqliteBinding } : {}),
      ...options.env,
    },
    timeout: START_LIMIT_MS,
  });
  const child = app.process();
  const exited = once(child, 'exit');
  const ended = async (): Promise<number | null> => (await exited)[0];
  try {
    const { url, pid } = await readyOf(log, () => child.exitCode !== null || child.signalCode !== null);
    return {
      electron: app,
      url,
      pid,
      dataDir,
      output: () => linesOf(log),
      view: (name) => viewOf(app, name),
      ended,
      stop: () => {
        child.kill('SIGTERM');
        return ended();
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
};

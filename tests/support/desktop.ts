import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type ElectronApplication, _electron as electron, type Page } from 'playwright-core';
import { inject } from 'vitest';
import type { Desk } from './desk.ts';

const START_LIMIT_MS = 60_000;
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
  output: readonly string[];
  /** The page of one of our views; waits until it is there. */
  view(name: 'window' | 'decision'): Promise<Page>;
  /** Orderly shutdown by SIGTERM; the exit code. */
  stop(): Promise<number | null>;
}>;

const collect = (app: ElectronApplication, output: string[], onLine: (line: string) => void): void => {
  for (const stream of [app.process().stdout, app.process().stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on('line', (line) => {
      output.push(line);
      onLine(line);
    });
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
  const output: string[] = [];
  const app = await electron.launch({
    executablePath: stage.executable,
    args: [
      '--disable-gpu',
      `--password-store=${desk.hasKeyring ? 'gnome-libsecret' : 'basic'}`,
      stage.app,
      ...(options.args ?? []),
    ],
    env: {
      ...desk.env,
      PORT: '0',
      OAUTH3_DATA_DIR: dataDir,
      ...(stage.sqliteBinding ? { OAUTH3_SQLITE_BINDING: stage.sqliteBinding } : {}),
      ...options.env,
    },
    timeout: START_LIMIT_MS,
  });
  const child = app.process();
  const exited = once(child, 'exit');
  const ready = new Promise<Readonly<{ url: string; pid: number }>>((resolve, reject) => {
    const said = (): string => output.join('\n');
    const patience = setTimeout(() => reject(new Error(`no ready line; it said:\n${said()}`)), START_LIMIT_MS);
    void exited.then(() => {
      clearTimeout(patience);
      reject(new Error(`the app ended before it was ready; it said:\n${said()}`));
    });
    collect(app, output, (line) => {
      const facts = READY.exec(line)?.groups;
      if (!facts?.url || !facts.pid) return;
      clearTimeout(patience);
      resolve({ url: facts.url, pid: Number(facts.pid) });
    });
  });
  try {
    const { url, pid } = await ready;
    return {
      electron: app,
      url,
      pid,
      dataDir,
      output,
      view: (name) => viewOf(app, name),
      stop: async () => {
        child.kill('SIGTERM');
        const [code] = await exited;
        return code;
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
};

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { FuseState, FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isRoot, root } from '../../scripts/setup/checkout.ts';
import { run } from '../../scripts/setup/command.ts';
import { testUser } from '../../scripts/setup/testUser.ts';
import { startBotApi } from '../support/botApi.ts';
import { type Desk, openDesk } from '../support/desk.ts';
import { oauth3 } from '../support/headless.ts';
import { noEngine } from '../support/noEngine.ts';

async function readyUrl(app: ChildProcess): Promise<string> {
  if (!app.stdout) throw new Error('no output');
  for await (const line of createInterface({ input: app.stdout })) {
    const url = /^oauth3 ready (\S+)/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('the app ended before it was ready');
}

describe('the packaged app', () => {
  let folder: string;
  let executable: string;
  let desk: Desk;

  beforeAll(async () => {
    folder = await mkdtemp('/var/tmp/oauth3-packaged-');
    await chmod(folder, 0o755);
    const packed = await run(process.execPath, [path.join(root, 'scripts/dist.ts'), folder]);
    if (packed.code !== 0) throw new Error(packed.stdout + packed.stderr);
    const unpacked = path.join(folder, 'linux-unpacked');
    executable = path.join(unpacked, 'oauth3');
    if (isRoot) {
      await chown(path.join(unpacked, 'chrome-sandbox'), 0, 0);
      await chmod(path.join(unpacked, 'chrome-sandbox'), 0o4755);
    }
    desk = await openDesk({ notifications: false });
  });
  afterAll(async () => {
    await desk?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const start = (args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess =>
    spawn(...testUser.as(executable, ['--disable-gpu', '--password-store=gnome-libsecret', ...args]), {
      env: { ...desk.env, ...noEngine, PORT: '0', OAUTH3_DATA_DIR: path.join(desk.home, 'data'), ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });

  it('has its fuses flipped (ATTACKS O246)', async () => {
    const wire = await getCurrentFuseWire(executable);
    expect(wire[FuseV1Options.RunAsNode]).toBe(FuseState.DISABLE);
    expect(wire[FuseV1Options.EnableNodeOptionsEnvironmentVariable]).toBe(FuseState.DISABLE);
    expect(wire[FuseV1Options.EnableNodeCliInspectArguments]).toBe(FuseState.DISABLE);
    expect(wire[FuseV1Options.OnlyLoadAppFromAsar]).toBe(FuseState.ENABLE);
  });

  it('starts, opens its database and vault, gets a sandbox ready, and ends in order', async () => {
    const app = start([]);
    try {
      const url = await readyUrl(app);
      const health = await fetch(`${url}/health`);
      expect(await health.json()).toEqual({ status: 'ok', telegram: 'not_configured', database: 'ok' });
      const exited = once(app, 'exit');
      app.kill('SIGTERM');
      expect((await exited)[0]).toBe(0);
    } finally {
      app.kill('SIGKILL');
    }
  });

  it.each(['--no-sandbox', '--disable-web-security', '--remote-debugging-port=0', '--remote-debugging-pipe'])(
    'refuses to run with %s: its windows would be open to others',
    async (unsafe) => {
      const [code] = await once(start([unsafe]), 'exit');
      expect(code).toBe(1);
    },
  );

  it('runs TypeScript: the card and the sandbox find their parsers inside the archive', async () => {
    const bot = await startBotApi();
    const owner = 4711;
    const dataDir = path.join(desk.home, 'typescript');
    const app = start([], {
      OAUTH3_DATA_DIR: dataDir,
      TELEGRAM_API_ROOT: bot.root,
      TELEGRAM_BOT_TOKEN: bot.token,
      TELEGRAM_CHAT_ID: String(owner),
    });
    try {
      const url = await readyUrl(app);
      const added = await oauth3({ OAUTH3_DATA_DIR: dataDir }, ['agent', 'add', 'packed', '--json']);
      const { token } = z.object({ token: z.string() }).parse(JSON.parse(added.stdout));
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const code = 'const answer: number = 42;\nconsole.log(answer satisfies number);';
      const body = JSON.stringify({ skill_id: 'ts', code });
      const asked = await fetch(`${url}/execute`, { method: 'POST', headers, body });
      const { request_id: id } = z.looseObject({ request_id: z.string() }).parse(await asked.json());
      const card = await bot.waitFor(() => bot.messages(owner).find((message) => message.buttons.length > 0));
      expect(card.text).toContain('console.log(answer satisfies number)');
      expect(card.text).not.toContain('Could not be parsed');
      await bot.tap('✅ Run Once', owner);
      const done = await fetch(`${url}/requests/${id}?wait=30`, { headers });
      expect(await done.json()).toMatchObject({ status: 'success', result: { stdout: '42\n' } });
    } finally {
      app.kill('SIGTERM');
      await bot.close();
    }
  });

  it('is no Node: it ignores ELECTRON_RUN_AS_NODE (ATTACKS O246)', async () => {
    const app = start(['-e', 'process.exit(42)', '--no-sandbox'], { ELECTRON_RUN_AS_NODE: '1' });
    const [code] = await once(app, 'exit');
    expect(code).not.toBe(42);
  });
});

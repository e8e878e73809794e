import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { FuseState, FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRoot, root } from '../../scripts/setup/checkout.ts';
import { run } from '../../scripts/setup/command.ts';
import { testUser } from '../../scripts/setup/testUser.ts';
import { type Desk, openDesk } from '../support/desk.ts';

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
      env: { ...desk.env, PORT: '0', OAUTH3_DATA_DIR: path.join(desk.home, 'data'), ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });

  it('has its fuses flipped', async () => {
    const wire = await getCurrentFuseWire(executable);
    expect(wire[FuseV1Options.RunAsNode]).toBe(FuseState.DISABLE);
    expect(wire[FuseV1Options.EnableNodeOptionsEnvironmentVariable]).toBe(FuseState.DISABLE);
    expect(wire[FuseV1Options.EnableNodeCliInspectArguments]).toBe(FuseState.DISABLE);
    expect(wire[FuseV1Options.OnlyLoadAppFromAsar]).toBe(FuseState.ENABLE);
  });

  it('starts, opens its database and vault, gets a sandbox ready, and ends in order', async () => {
    const app = start([]);
    try {
      if (!app.stdout) throw new Error('no output');
      const lines = createInterface({ input: app.stdout });
      let url: string | undefined;
      for await (const line of lines) {
        url = /^oauth3 ready (\S+)/.exec(line)?.[1];
        if (url) break;
      }
      const health = await fetch(`${url}/health`);
      expect(await health.json()).toEqual({ status: 'ok', telegram: 'not_configured', database: 'ok' });
      const exited = once(app, 'exit');
      app.kill('SIGTERM');
      expect((await exited)[0]).toBe(0);
    } finally {
      app.kill('SIGKILL');
    }
  });

  it('refuses to run without the Chromium sandbox', async () => {
    const [code] = await once(start(['--no-sandbox']), 'exit');
    expect(code).not.toBe(0);
  });

  it('is no Node: it ignores ELECTRON_RUN_AS_NODE', async () => {
    const app = start(['-e', 'process.exit(42)', '--no-sandbox'], { ELECTRON_RUN_AS_NODE: '1' });
    const [code] = await once(app, 'exit');
    expect(code).not.toBe(42);
  });
});

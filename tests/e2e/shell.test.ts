import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Desk, openDesk } from '../support/desk.ts';
import { launchApp, type RunningApp } from '../support/desktop.ts';

describe('the built app at a desk with a keyring', () => {
  let desk: Desk;
  let app: RunningApp;
  beforeAll(async () => {
    desk = await openDesk({ notifications: false });
    app = await launchApp(desk);
  });
  afterAll(async () => {
    await app?.stop();
    await desk?.close();
  });

  it('answers with an open vault and a sandbox that is ready', async () => {
    const response = await fetch(`${app.url}/health`);
    expect(await response.json()).toEqual({ status: 'ok', telegram: 'not_configured', database: 'ok' });
  });

  it('runs its windows in the Chromium sandbox and not as root', async () => {
    const pids = await app.electron.evaluate(({ webContents }) =>
      webContents.getAllWebContents().map((contents) => contents.getOSProcessId()),
    );
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) {
      const status = await readFile(`/proc/${pid}/status`, 'utf8');
      expect(status).toMatch(/^Seccomp:\s+2$/m);
      expect(status).not.toMatch(/^Uid:\s+0\b/m);
    }
  });

  it('prints its ready line with its own process id and data folder', async () => {
    const line = (await app.output()).find((text) => text.startsWith('oauth3 ready '));
    expect(line).toBe(`oauth3 ready ${app.url} pid=${app.electron.process().pid} data=${app.dataDir}`);
  });

  it('shuts down in order on SIGTERM, with exit code 0', async () => {
    expect(await app.stop()).toBe(0);
  });
});

import { randomBytes } from 'node:crypto';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { run } from '../../scripts/setup/command.ts';
import { testUser } from '../../scripts/setup/testUser.ts';
import { type Desk, openDesk } from '../support/desk.ts';
import { launchApp } from '../support/desktop.ts';
import { noEngine } from '../support/noEngine.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk({ notifications: false });
});
afterAll(() => desk?.close());

/** Starts the built app by hand; it has to end by itself. What Chromium says beside our own lines is left out. */
async function start(env: Readonly<Record<string, string>>) {
  const stage = inject('stage');
  const binding = stage.sqliteBinding === undefined ? {} : { OAUTH3_SQLITE_BINDING: stage.sqliteBinding };
  const args = ['--disable-gpu', '--password-store=gnome-libsecret', stage.app];
  const all = { ...desk.env, ...noEngine, PORT: '0', ...binding, ...env };
  const { code, stdout, stderr } = await run(stage.executable, args, { env: all });
  const ours = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('oauth3'));
  return { code, stdout: ours(stdout), stderr: ours(stderr) };
}

describe('a start of the app that cannot succeed', () => {
  it('says which value is bad in one line, with exit 78, and makes nothing', async () => {
    const dataDir = path.join(desk.home, 'never');
    expect(await start({ OAUTH3_DATA_DIR: dataDir, OAUTH3_BIND: '0.0.0.0' })).toEqual({
      code: 78,
      stdout: [],
      stderr: [
        'oauth3 cannot start: OAUTH3_BIND: "0.0.0.0" would listen on every interface; write the address of the one you mean',
      ],
    });
    await expect(access(dataDir)).rejects.toThrow();
  });

  it('says that the database is damaged in one line, with exit 1, and leaves it as it is', async () => {
    const dataDir = path.join(desk.home, 'damaged');
    const file = path.join(dataDir, 'proxy.db');
    const bytes = randomBytes(8192);
    await mkdir(dataDir, { mode: 0o700 });
    await writeFile(file, bytes, { mode: 0o600 });
    for (const made of [dataDir, file]) await testUser.own(made);
    const { code, stdout, stderr } = await start({ OAUTH3_DATA_DIR: dataDir });
    expect({ code, stdout, lines: stderr.length }).toEqual({ code: 1, stdout: [], lines: 1 });
    expect(stderr[0]).toMatch(/^oauth3 cannot start: .*proxy\.db is damaged .* Put a backup in its place/);
    expect((await readFile(file)).equals(bytes)).toBe(true);
  });

  it('says that its port is taken in one line, with exit 1, while the app that has it goes on (ATTACKS N233)', async () => {
    const first = await launchApp(desk);
    try {
      const port = new URL(first.url).port;
      const dataDir = path.join(desk.home, 'other');
      const { code, stdout, stderr } = await start({ OAUTH3_DATA_DIR: dataDir, PORT: port });
      expect({ code, stdout, lines: stderr.length }).toEqual({ code: 1, stdout: [], lines: 1 });
      expect(stderr[0]).toMatch(new RegExp(`^oauth3 cannot start: .*${port}`));
      // The same folder: not an error, the owner gets the window that there is.
      expect(await start({ OAUTH3_DATA_DIR: first.dataDir })).toEqual({
        code: 0,
        stdout: ['oauth3 is already running with this data folder; its window was opened'],
        stderr: [],
      });
      expect((await fetch(`${first.url}/health`)).status).toBe(200);
    } finally {
      expect(await first.stop()).toBe(0);
    }
  });
});

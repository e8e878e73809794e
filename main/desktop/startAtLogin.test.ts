import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../core/log.ts';
import { autostartEntry, followLoginStart, loginItem } from './startAtLogin.ts';

describe('starting at login', () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'oauth3-login-'));
  });
  afterEach(() => rm(home, { recursive: true }));
  const file = () => join(home, 'autostart', 'oauth3.desktop');

  it('is an entry in the autostart folder, which goes when it is turned off', async () => {
    const start = autostartEntry(home, { program: '/opt/OAuth3/oauth3', args: [] });
    await start.set(true);
    expect((await readFile(file(), 'utf8')).split('\n')).toContain('Exec="/opt/OAuth3/oauth3"');
    await start.set(false);
    await start.set(false);
    await expect(stat(file())).rejects.toThrow('ENOENT');
  });

  it('names a program as it is, whatever characters its path has', async () => {
    await autostartEntry(home, { program: '/a b/"100%"', args: ['$HOME/`x`\\y'] }).set(true);
    const exec = (await readFile(file(), 'utf8')).split('\n').find((line) => line.startsWith('Exec='));
    expect(exec).toBe('Exec="/a b/\\\\"100%%\\\\"" "\\\\$HOME/\\\\`x\\\\`\\\\\\\\y"');
  });

  it('is an item of the system elsewhere', async () => {
    const seen: unknown[] = [];
    const app = { setLoginItemSettings: (settings: unknown) => seen.push(settings) };
    await loginItem(app, { program: 'C:\\OAuth3.exe', args: ['C:\\app'] }).set(true);
    expect(seen).toEqual([{ openAtLogin: true, path: 'C:\\OAuth3.exe', args: ['C:\\app'] }]);
  });

  it('follows the setting, and does nothing while that stays', () => {
    const set: boolean[] = [];
    let wanted = false;
    const start = { set: async (on: boolean) => void set.push(on) };
    const follow = followLoginStart(start, () => wanted, silentLog);
    for (const next of [false, true, true, false]) {
      wanted = next;
      follow();
    }
    expect(set).toEqual([true, false]);
  });
});

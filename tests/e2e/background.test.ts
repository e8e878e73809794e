import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bridgeCall, openWindowHouse, type WindowHouse } from '../support/windowHouse.ts';

const within = { timeout: 10_000 };

describe('an app that lives in the background', () => {
  let house: WindowHouse;
  beforeAll(async () => {
    house = await openWindowHouse();
  });
  afterAll(() => house?.close());

  const sentences = async (): Promise<number> => {
    const found = await house.desk.run('xdotool', ['search', '--onlyvisible', '--name', '^OAuth3 keeps running$']);
    return found.stdout.split('\n').filter((line) => line !== '').length;
  };
  const window = (act: 'close' | 'show' | 'isVisible') =>
    house.app.electron.evaluate(({ BrowserWindow }, method) => BrowserWindow.getAllWindows()[0]?.[method](), act);

  it('says once that closing its window does not end it', async () => {
    expect(await window('isVisible')).toBe(true);
    await window('close');
    // A dialog, because this desk shows no notifications.
    await expect.poll(sentences, within).toBe(1);
    expect(await window('isVisible')).toBe(false);
    await house.desk.run('xdotool', ['search', '--name', '^OAuth3 keeps running$', 'windowactivate', '--sync']);
    await house.desk.run('xdotool', ['key', 'Return']);
    await expect.poll(sentences, within).toBe(0);
    await window('show');
    await window('close');
    // It would have come by now: the app has answered a question that was asked after the closing.
    await bridgeCall(house.window, 'status', null);
    expect(await sentences()).toBe(0);
  });

  it('starts at login when the owner wants that, until the owner does not', async () => {
    const entry = path.join(house.desk.home, '.config/autostart/oauth3.desktop');
    const read = () => readFile(entry, 'utf8').catch(() => '');
    const set = (value: boolean) => bridgeCall(house.window, 'setSetting', { key: 'app.start_at_login', value });
    expect(await read()).toBe('');
    await set(true);
    await expect.poll(read, within).toContain('Exec="');
    await set(false);
    await expect.poll(read, within).toBe('');
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Desk, openDesk } from '../support/desk.ts';
import { TrayHost } from '../support/trayHost.ts';
import { type Agent, openWindowHouse, statusOf, type WindowHouse } from '../support/windowHouse.ts';

describe('the tray icon', () => {
  let desk: Desk;
  let tray: TrayHost;
  let house: WindowHouse;
  let agent: Agent;

  beforeAll(async () => {
    desk = await openDesk({ notifications: false });
    tray = await TrayHost.open(desk.env.DBUS_SESSION_BUS_ADDRESS ?? '');
    house = await openWindowHouse({ desk });
    agent = await house.newAgent();
  });
  afterAll(async () => {
    await house?.close();
    await tray?.close();
    await desk?.close();
  });

  const tooltip = async () => (await tray.look()).tooltip;
  const labels = async () => (await tray.menu()).map((entry) => entry.label);
  const within = { timeout: 10_000 };
  const isWindowOpen = () =>
    house.app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.isVisible());
  const hideWindow = () =>
    house.app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());

  it('says that nothing waits, and offers what the owner needs at hand', async () => {
    await expect.poll(tooltip, within).toBe('OAuth3: nothing waits');
    const [first, ...rest] = await tray.menu();
    expect(first).toMatchObject({ label: 'Nothing waits for you', enabled: false });
    expect(rest.map((entry) => entry.label).filter((label) => label !== '')).toEqual([
      'Open OAuth3',
      'Pause',
      'Lock the vault',
      'Panic…',
      'Recent runs',
      'Quit',
    ]);
  });

  it('counts what waits, with another picture, and opens the window', async () => {
    const before = await tray.look();
    const ids = [];
    for (const name of ['one', 'two']) ids.push(await agent.ask({ skill_id: name, code: `console.log('${name}')` }));
    await expect.poll(tooltip, within).toBe('OAuth3: 2 requests wait for you');
    expect((await tray.look()).icon).not.toBe(before.icon);
    await hideWindow();
    await expect.poll(isWindowOpen, within).toBe(false);
    await tray.choose('2 requests wait for you');
    await expect.poll(isWindowOpen, within).toBe(true);
    await hideWindow();
    await expect.poll(isWindowOpen, within).toBe(false);
    await tray.activate();
    await expect.poll(isWindowOpen, within).toBe(true);
    for (const id of ids) await agent.cancel(id);
    await expect.poll(tooltip, within).toBe('OAuth3: nothing waits');
  });

  it('pauses and resumes', async () => {
    await tray.choose('Pause');
    await expect.poll(tooltip, within).toBe('OAuth3: paused, nothing new runs');
    expect(await statusOf(house.window)).toMatchObject({ paused: true });
    await tray.choose('Resume');
    await expect.poll(tooltip, within).toBe('OAuth3: nothing waits');
  });

  it('locks the vault, which its keyring opens again', async () => {
    await tray.choose('Lock the vault');
    await expect.poll(tooltip, within).toBe('OAuth3: the vault is locked');
    expect(await labels()).toContain('Vault is locked');
    await house.window.getByRole('heading', { name: 'The vault is locked' }).waitFor();
    expect(await agent.execute({ skill_id: 'late', code: '1' })).toMatchObject({ status: 503 });
    await house.window.getByRole('button', { name: 'Unlock with the keyring' }).click();
    await expect.poll(tooltip, within).toBe('OAuth3: nothing waits');
  });

  it('lists the last runs by what an agent called them, as plain text', async () => {
    const wish = { skill_id: 'first-run', code: 'console.log(1)' };
    await house.askAndOpen(agent, wish);
    await house.decision.getByRole('button', { name: 'Trust 24h' }).click();
    await house.decision.getByRole('heading', { name: /Trusted|Approved/ }).waitFor();
    expect(await agent.execute(wish)).toMatchObject({ status: 200 });
    const recent = async () => (await tray.menu()).find(({ label }) => label === 'Recent runs')?.entries;
    await expect
      .poll(async () => (await recent())?.map(({ label }) => label), within)
      .toEqual(['first-run: success', 'first-run: success']);
  });

  it('quits in order', async () => {
    const ended = house.app.ended();
    await tray.choose('Quit');
    expect(await ended).toBe(0);
  });
});

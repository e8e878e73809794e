import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { run } from '../../scripts/setup/command.ts';
import { launchApp } from '../support/desktop.ts';
import { openWindowHouse, statusOf, type WindowHouse } from '../support/windowHouse.ts';

const passphrase = 'only for this test desk';

describe('a first start on a desktop with a keyring', () => {
  let house: WindowHouse;
  beforeEach(async () => {
    house = await openWindowHouse();
  });
  afterEach(() => house.close());

  const isWindowOpen = () =>
    house.app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().some((one) => one.isVisible()));

  it('has an open vault, shows the window, and takes the owner from an empty list to a first request', async () => {
    expect(await statusOf(house.window)).toMatchObject({
      vault: 'unlocked',
      vault_slots: ['keyring:gnome_libsecret'],
    });
    expect(await isWindowOpen()).toBe(true);

    const { window } = house;
    await window.getByRole('button', { name: 'Add an agent' }).click();
    await window.getByLabel('Name of a new agent').fill('home-agent');
    await window.getByLabel('Name of a new agent').press('Enter');
    const token = await window.getByTestId('token').textContent();
    expect(token).toMatch(/^oa3_[0-9A-Za-z]{43}$/);
    await window.getByRole('button', { name: 'Copy' }).click();
    await window.getByText('Copied. The clipboard is cleared in a minute.').waitFor();
    await window.getByRole('button', { name: 'I have it' }).click();
    expect(await window.locator('body').textContent()).not.toContain(token);
    expect(await house.app.electron.evaluate(({ clipboard }) => clipboard.readText())).toBe(token);

    const agent = house.agentWith(token ?? '');
    const id = await agent.ask({ skill_id: 'first-one', code: 'console.log(6 * 7)' });
    await window.getByRole('navigation').getByRole('button', { name: 'Requests' }).click();
    await house.openCard('first-one');
    await house.decision.getByRole('button', { name: 'Run Once' }).click();
    expect(await agent.request(id)).toMatchObject({ status: 'success', result: { stdout: '42\n' } });
    await house.decision.getByRole('heading', { name: 'Approved once in the app' }).waitFor();
    await window.getByRole('list', { name: 'Recent' }).getByText('success').waitFor();
    // With a token in the clipboard to be taken back.
    expect(await house.app.stop()).toBe(0);
  });

  it('goes on without its window, which a second start of the app brings back, whatever it is given (ATTACKS O245)', async () => {
    await house.app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
    await expect.poll(isWindowOpen).toBe(false);
    expect((await fetch(`${house.app.url}/health`)).status).toBe(200);
    const agent = await house.newAgent();
    const id = await agent.ask({ skill_id: 'waits', code: 'console.log(1)' });

    const stage = inject('stage');
    const link = `oauth3://approve?id=${id}`;
    const args = ['--disable-gpu', '--password-store=gnome-libsecret', stage.app, link, '--approve', id];
    const binding = stage.sqliteBinding === undefined ? {} : { OAUTH3_SQLITE_BINDING: stage.sqliteBinding };
    const env = { ...house.desk.env, ...binding, PORT: '0', OAUTH3_DATA_DIR: house.app.dataDir };
    const second = await run(stage.executable, args, { env });
    expect(second.code).toBe(0);
    expect(second.stdout).toContain('already running');
    await expect.poll(isWindowOpen).toBe(true);
    expect(await agent.request(id, 0)).toMatchObject({ status: 'pending' });
  });

  it('stays in the background at the next start, since nothing is missing any more, and keeps its size', async () => {
    await house.newAgent();
    const size = () => house.app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getSize());
    await house.app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setSize(911, 633));
    await expect.poll(size).toEqual([911, 633]);
    await house.app.stop();
    const app = await launchApp(house.desk, { dataDir: house.app.dataDir });
    const windows = () =>
      app.electron.evaluate(({ BrowserWindow }) =>
        BrowserWindow.getAllWindows().map((window) => ({
          size: window.getSize(),
          isOpen: window.isVisible(),
          page: window.webContents.getURL(),
        })),
      );
    await expect.poll(windows).toEqual([{ size: [911, 633], isOpen: false, page: '' }]);
    expect((await fetch(`${app.url}/health`)).status).toBe(200);
    await app.stop();
    await house.restart();
    expect(await isWindowOpen()).toBe(true);
    expect(await size()).toEqual([911, 633]);
    expect(await statusOf(house.window)).toMatchObject({ vault: 'unlocked' });
  });
});

describe('a first start where there is no keyring', () => {
  let house: WindowHouse;
  beforeEach(async () => {
    house = await openWindowHouse({ parts: { keyring: false, notifications: false } });
  });
  afterEach(() => house.close());

  it('asks for a passphrase, makes the vault with it, and asks for it again at the next start', async () => {
    const agent = await house.newAgent();
    const wish = { skill_id: 'early', code: 'console.log(1)' };
    expect(await agent.execute(wish)).toMatchObject({ status: 503, body: { error: { code: 'vault_locked' } } });

    const first = house.window;
    await first.getByRole('heading', { name: 'Choose a passphrase' }).waitFor();
    const create = first.getByRole('button', { name: 'Create the vault' });
    await first.getByLabel('Passphrase').fill('short');
    expect(await create.isEnabled()).toBe(false);
    await first.getByLabel('Passphrase').fill(passphrase);
    await first.getByLabel('Once more').fill(`${passphrase}!`);
    await create.click();
    await first.getByRole('alert').getByText('differ').waitFor();
    expect(await statusOf(first)).toMatchObject({ vault: 'uninitialized' });

    await first.getByLabel('Passphrase').fill(passphrase);
    await first.getByLabel('Once more').fill(passphrase);
    await create.click();
    await first.getByRole('heading', { name: 'Requests' }).waitFor();
    expect(await statusOf(first)).toMatchObject({ vault: 'unlocked', vault_slots: ['passphrase'] });
    expect(await agent.execute(wish)).toMatchObject({ status: 202 });

    await house.restart();
    const { window } = house;
    await window.getByRole('heading', { name: 'The vault is locked' }).waitFor();
    await window.getByLabel('Passphrase').fill('not the passphrase');
    await window.getByLabel('Passphrase').press('Enter');
    await window.getByRole('alert').waitFor();
    expect(await statusOf(window)).toMatchObject({ vault: 'locked' });
    await window.getByLabel('Passphrase').fill(passphrase);
    await window.getByRole('button', { name: 'Unlock' }).click();
    await window.getByRole('list', { name: 'Waiting' }).getByRole('button', { name: 'early' }).waitFor();
  });
});

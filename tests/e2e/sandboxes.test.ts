import { cp, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheDirectory } from '../../scripts/setup/checkout.ts';
import { testUser } from '../../scripts/setup/testUser.ts';
import { installIdOf, openContainerHouse } from '../support/containerHouse.ts';
import { type Desk, openDesk } from '../support/desk.ts';
import { type EngineRelay, openEngineRelay } from '../support/engineRelay.ts';
import { type Finished, oauth3 } from '../support/headless.ts';
import { openTestEngine } from '../support/testEngine.ts';
import { TrayHost } from '../support/trayHost.ts';
import { type Agent, openWindowHouse, type WindowHouse } from '../support/windowHouse.ts';

/** Only where no image was ever made on this machine. */
const imagesLimitMs = 600_000;
const within = { timeout: 30_000 };

/** Gives the test user's cache the layers that this machine has already, so that making an image takes seconds. */
async function shareLayers(home: string): Promise<void> {
  const shared = path.join(cacheDirectory, 'images');
  const own = path.join(home, '.cache/oauth3/images');
  await mkdir(own, { recursive: true });
  for (const folder of [path.dirname(own), own]) await testUser.own(folder);
  const layers = (await readdir(shared).catch(() => [])).filter((name) => /^[0-9a-f]{64}$/.test(name));
  for (const name of layers) await cp(path.join(shared, name), path.join(own, name), { recursive: true });
}

/** The relay's socket, for an app that runs as another user than the tests. */
async function share({ url }: EngineRelay): Promise<void> {
  const socket = url.replace('unix://', '');
  for (const file of [path.dirname(socket), socket]) await testUser.own(file);
}

const wish = {
  skill_id: 'in-a-container',
  code: 'import sys\nprint("python", sys.version_info.major)',
  metadata: { runtime: 'python', isolation: 'container' },
};

describe('the sandboxes in the real app, with a real engine that has no image yet', () => {
  let desk: Desk;
  let tray: TrayHost;
  let relay: EngineRelay;
  let house: WindowHouse;
  let agent: Agent;

  beforeAll(async () => {
    // Once before, where it has to be fetched, so that the test itself makes it from what is there.
    await (await openContainerHouse({ runtimes: ['python'] })).stop();
    desk = await openDesk({ notifications: false });
    tray = await TrayHost.open(desk.env.DBUS_SESSION_BUS_ADDRESS ?? '');
    relay = await openEngineRelay();
    await share(relay);
    await shareLayers(desk.home);
    // What is made later is used all the same: its id is known then, and no list is needed.
    await relay.showImagesOf([]);
    house = await openWindowHouse({ desk, env: { DOCKER_HOST: relay.url, OAUTH3_SANDBOX: 'embedded' } });
    agent = await house.newAgent();
  }, imagesLimitMs);
  afterAll(async () => {
    await house?.close();
    await tray?.close();
    await desk?.close();
    await relay?.close();
  });

  const cli = (...args: readonly string[]): Promise<Finished> => oauth3({ OAUTH3_DATA_DIR: house.app.dataDir }, args);
  const open = (page: string) => house.window.getByRole('navigation').getByRole('button', { name: page }).click();
  const openRuntimes = async () => {
    await open('Settings');
    await house.window.getByRole('tab', { name: 'Runtimes' }).click();
  };
  const row = (runtime: string) =>
    house.window
      .getByRole('table', { name: 'Sandboxes' })
      .getByRole('row', { name: new RegExp(`^container ${runtime}`) });
  const menu = async () => (await tray.menu()).map(({ label }) => label);
  const tooltip = async () => (await tray.look()).tooltip;

  it('are made by a button, and everyone is told how far that is', async () => {
    const load = relay.hold(/^POST \/(images\/load|build)$/);
    await openRuntimes();
    await row('Python').getByText('The Python image is not made yet').waitFor();
    await row('Python')
      .getByRole('button', { name: /^Make Python now/ })
      .click();
    await load.arrived;
    const step = /^The Python image is being made: .+ \(\d of \d\)/;
    await row('Python').getByText(step).waitFor();
    expect(await row('Python').getByRole('button').count()).toBe(0);
    await expect.poll(menu, within).toContainEqual(expect.stringMatching(step));
    await expect.poll(tooltip, within).toMatch(/^OAuth3: The Python image is being made/);
    const { token } = JSON.parse((await cli('agent', 'add', 'watcher', '--json')).stdout);
    const health = await fetch(`${house.app.url}/health`, { headers: { authorization: `Bearer ${token}` } });
    expect(await health.json()).toMatchObject({ sandbox: { container: expect.stringContaining('is being made: ') } });
    expect((await cli('status')).stdout).toMatch(/^sandbox container .*The Python image is being made: /m);
    await open('Requests');
    const early = await house.askAndOpen(agent, { ...wish, skill_id: 'too-early' });
    await house.decision.getByRole('button', { name: 'Run Once' }).click();
    await house.window.getByRole('status').getByText(step).waitFor();
    expect(await agent.request(early, 0)).toMatchObject({
      status: 'approved',
      waiting_for: expect.stringMatching(step),
    });
    await openRuntimes();
    const listed = cli('images', 'python');
    const listedAsJson = cli('images', 'python', '--json');
    await expect.poll(menu, within).toContainEqual(expect.stringMatching(step));
    load.letGo();
    await row('Python').getByText('ready', { exact: true }).waitFor(within);
    expect(await agent.request(early)).toMatchObject({ status: 'success', result: { stdout: 'python 3\n' } });
    await expect.poll(tooltip, within).toBe('OAuth3: nothing waits');
    expect(await menu()).not.toContainEqual(expect.stringMatching(/image/));
    const list = await listed;
    expect(list.code).toBe(0);
    expect(list.stderr).toMatch(step);
    expect(list.stdout).toMatch(/^python +container +ready +sha256:[0-9a-f]{64}/m);
    expect(JSON.parse((await listedAsJson).stdout).items).toMatchObject([{ runtime: 'python', state: 'ready' }]);
  });

  it('run what is approved by a click, and leave nothing at the engine', async () => {
    await open('Requests');
    const id = await house.askAndOpen(agent, wish);
    await house.decision.getByText('a container of its own, with Python').waitFor();
    await house.decision.getByRole('button', { name: 'Run Once' }).click();
    expect(await agent.request(id)).toMatchObject({ status: 'success', result: { stdout: 'python 3\n' } });
    const { dataDir } = house.app;
    await house.app.stop();
    const engine = openTestEngine();
    await engine.untilNoneOf(installIdOf(dataDir)).finally(() => engine.close());
  });
});

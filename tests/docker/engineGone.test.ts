import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { TestAgent } from '../support/broker.ts';
import { type ContainerHouse, openContainerHouse } from '../support/containerHouse.ts';
import { openDockerHouse } from '../support/dockerHouse.ts';
import { type EngineRelay, openEngineRelay } from '../support/engineRelay.ts';
import { startHttpsUpstream, type UpstreamServer } from '../support/httpsUpstream.ts';
import { mayHaveOwnEngine, type OwnEngine, openOwnEngine } from '../support/ownEngine.ts';

const host = 'api.example.com';
/** Each look is a request, of which the bridge takes 60 a minute. */
const patience = { timeout: 30_000, interval: 500 };

let api: UpstreamServer & Readonly<{ authorityPem: string }>;
let house: ContainerHouse;
let agent: TestAgent;

beforeEach(async () => {
  api = await startHttpsUpstream([host]);
});
afterEach(async () => {
  await api.close();
});

async function open(dockerHost: string, runtimes: readonly 'deno'[] = ['deno']): Promise<void> {
  const env = { DOCKER_HOST: dockerHost, OAUTH3_EGRESS_HOSTS: `${host}=127.0.0.1:${api.port}` };
  house = await openContainerHouse({ runtimes, rootsPem: api.authorityPem, env });
  agent = house.agent();
}

const says42 = { runtime: 'deno', code: 'console.log(6 * 7)' } as const;
/** Says at the upstream that it is there, and stays. */
const stays = { runtime: 'deno', network: [host], code: `await fetch('https://${host}/here')` } as const;

/** Begins a run that stays, and resolves when its code runs. */
async function running(): Promise<string> {
  const here = new Promise<void>((resolve) => api.setAnswer(() => resolve()));
  const id = await house.begin(agent, stays);
  await here;
  return id;
}

const ask = () => agent.execute({ skill_id: 'containers', code: '1', metadata: { runtime: 'deno' } });

/** Waits until the bridge takes requests again. */
const untilTaken = () => vi.waitFor(async () => expect((await ask()).status).toBe(202), patience);

const refused = (reason: RegExp) => ({
  status: 503,
  body: { status: 'error', error: { code: 'sandbox_unavailable', hint: expect.stringMatching(reason) } },
});

const healthSchema = z.object({ status: z.string(), sandbox: z.object({ container: z.string() }) });
const health = async () => healthSchema.parse((await agent.call('GET', '/health')).body);

describe('an engine that nobody reaches any more', () => {
  let relay: EngineRelay;
  beforeEach(async () => {
    relay = await openEngineRelay();
    relay.showImagesOf(['deno']);
  });
  afterEach(async () => {
    await house.stop();
    await relay.close();
  });

  it('fails the run in the middle with the reason, refuses what comes, and works when it is back', async () => {
    await open(relay.url);
    const id = await running();
    const before = await house.containers();
    expect(before.length).toBeGreaterThan(0);
    await relay.cut();
    expect(await agent.result(id)).toMatchObject({
      status: 'failed',
      error: {
        code: 'sandbox_broken',
        message: expect.stringMatching(/^The container engine stopped during the run\./),
      },
    });
    await vi.waitFor(
      async () => expect(await ask()).toMatchObject(refused(/no container engine is running|stopped/)),
      patience,
    );
    const dark = await health();
    expect([dark.status, dark.sandbox.container]).toEqual([
      'degraded',
      expect.stringMatching(/^not available: .*engine/),
    ]);
    await relay.mend();
    await untilTaken();
    expect(await house.run(agent, says42)).toMatchObject({ status: 'success', result: { stdout: '42\n' } });
    // Nothing of the time before is left, and the run was not begun again.
    const old = new Set(before.map((container) => container.id));
    await house.engine.until(house.installId, (all) => all.every((container) => !old.has(container.id)));
    expect(api.received.map(({ path }) => path)).toEqual(['/here']);
    expect(house.owner.requestDetail(id).status).toBe('failed');
  });
});

describe('an engine that is not there at the start', () => {
  it('is said, and used when it appears, without a new start of the app', async () => {
    const relay = await openEngineRelay({ cut: true });
    try {
      relay.showImagesOf(['deno']);
      await open(relay.url, []);
      expect(await ask()).toMatchObject(refused(/no container engine is running/));
      expect((await health()).sandbox.container).toMatch(/^not available: .*no container engine is running/);
      await relay.mend();
      await untilTaken();
      expect(await house.run(agent, says42)).toMatchObject({ status: 'success', result: { stdout: '42\n' } });
      await vi.waitFor(async () => expect((await health()).status).toBe('ok'), patience);
    } finally {
      await house.stop();
      await relay.close();
    }
  });
});

// A machine where the tests may not start one has the engine behind the relay, which looks the same from here.
describe.runIf(await mayHaveOwnEngine())('an engine that is killed and started again', () => {
  let own: OwnEngine;
  beforeEach(async () => {
    own = await openOwnEngine();
    const book = await openDockerHouse(['deno']);
    const { image } = book.backend().carrier('deno');
    await book.close();
    await own.bring(image);
  });
  afterEach(async () => {
    await own.close();
  });

  it('fails the run in the middle, removes what went on without it, and runs again', async () => {
    await open(own.url);
    const id = await running();
    const before = await own.containersOf(house.installId);
    await own.kill();
    expect(await agent.result(id)).toMatchObject({
      status: 'failed',
      error: {
        code: 'sandbox_broken',
        message: expect.stringMatching(/^The container engine stopped during the run\./),
      },
    });
    await own.start();
    await untilTaken();
    expect(await house.run(agent, says42)).toMatchObject({ status: 'success', result: { stdout: '42\n' } });
    await vi.waitFor(async () => {
      const now = await own.containersOf(house.installId);
      expect(now.filter((container) => before.includes(container))).toEqual([]);
    }, patience);
    expect(before.length).toBeGreaterThan(0);
    expect(api.received.map(({ path }) => path)).toEqual(['/here']);
    await house.stop();
    expect(await own.containersOf(house.installId)).toEqual([]);
  });
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { TestAgent } from '../support/broker.ts';
import { type ContainerHouse, openContainerHouse } from '../support/containerHouse.ts';
import { type EngineRelay, openEngineRelay } from '../support/engineRelay.ts';
import { startHttpsUpstream, type UpstreamServer } from '../support/httpsUpstream.ts';

const host = 'api.example.com';
const mib = 1024 * 1024;

const limitsSchema = z.object({
  HostConfig: z.object({
    Memory: z.number(),
    MemorySwap: z.number(),
    NanoCpus: z.number(),
    PidsLimit: z.number(),
  }),
});

let relay: EngineRelay;
let api: UpstreamServer & Readonly<{ authorityPem: string }>;
let house: ContainerHouse;
let agent: TestAgent;

beforeAll(async () => {
  relay = await openEngineRelay();
  // One image (that of the default runtime), so that as many containers stand ready as the setting says.
  relay.showImagesOf(['deno']);
  api = await startHttpsUpstream([host]);
  house = await openContainerHouse({
    runtimes: ['deno'],
    rootsPem: api.authorityPem,
    env: { DOCKER_HOST: relay.url, OAUTH3_EGRESS_HOSTS: `${host}=127.0.0.1:${api.port}` },
  });
  agent = house.agent();
});
afterAll(async () => {
  await house?.stop();
  await api?.close();
  await relay?.close();
});
beforeEach(async () => {
  house.owner.setSetting('desktop', 'pool.size', 1);
  await standReady(1);
});
afterEach(() => {
  expect(relay.calls().filter((call) => call.includes('pause'))).toEqual([]);
});

/** Waits until exactly so many containers of this house are there, all running, and none of them is `used`. */
const standReady = (count: number, used?: string) =>
  house.engine.until(
    house.installId,
    (all) => all.length === count && all.every(({ id, state }) => state === 'running' && id !== used),
    20_000,
  );

const says42 = async (): Promise<unknown> => {
  const { status, result } = await house.run(agent, { runtime: 'deno', code: 'console.log(6 * 7)' });
  return [status, z.object({ stdout: z.string() }).parse(result).stdout];
};

describe('the containers that stand ready', () => {
  it('are as many as the setting says, at once; with none, runs still run', async () => {
    house.owner.setSetting('desktop', 'pool.size', 3);
    const three = await standReady(3);
    house.owner.setSetting('desktop', 'pool.size', 1);
    const [one] = await standReady(1);
    expect(three.map(({ id }) => id)).toContain(one?.id);
    house.owner.setSetting('desktop', 'pool.size', 0);
    await house.engine.untilNoneOf(house.installId);
    expect(await says42()).toEqual(['success', '42\n']);
    await house.engine.untilNoneOf(house.installId);
  });

  it('are used once: after a run another one stands there', async () => {
    const [before] = await standReady(1);
    expect(await says42()).toEqual(['success', '42\n']);
    await standReady(1, before?.id);
  });

  it.each([
    ['all is paused', () => house.owner.pause('desktop'), () => house.owner.resume('desktop')],
    [
      'the vault is locked',
      () => house.owner.lock('desktop'),
      () => house.owner.unlock('desktop', house.passphrase ?? ''),
    ],
    ['the machine sleeps', () => house.broker.goingToSleep(), () => house.broker.resumedFromSleep()],
  ])('are ended while %s, and there again after it', async (_what, begin, end) => {
    begin();
    await house.engine.untilNoneOf(house.installId);
    await end();
    await standReady(1);
    expect(await says42()).toEqual(['success', '42\n']);
  });

  it('are not filled up while the machine sleeps, although a setting changes', async () => {
    house.broker.goingToSleep();
    house.owner.pause('desktop');
    await house.engine.untilNoneOf(house.installId);
    const made = () => relay.calls().filter((call) => call === 'POST /containers/create').length;
    const before = made();
    house.owner.setSetting('desktop', 'pool.size', 2);
    house.owner.resume('desktop');
    // A run that comes all the same has a container made for itself, and no other is made meanwhile.
    expect(await says42()).toEqual(['success', '42\n']);
    await house.engine.untilNoneOf(house.installId);
    expect(made()).toBe(before + 1);
    house.broker.resumedFromSleep();
    await standReady(2);
    expect(made()).toBe(before + 3);
  });
});

describe('an app that is closed while it starts', () => {
  it('leaves no container behind', async () => {
    const looking = relay.hold(/^GET \/images\/json$/);
    const brief = await openContainerHouse({ runtimes: [], env: { DOCKER_HOST: relay.url } });
    try {
      await looking.arrived;
      const stopped = brief.stop();
      looking.letGo();
      await stopped;
      // Longer than one takes that is made ready.
      const [before] = await standReady(1);
      expect(await says42()).toEqual(['success', '42\n']);
      await standReady(1, before?.id);
      expect(await brief.containers()).toEqual([]);
    } finally {
      await house.engine.removeAllOf(brief.installId);
    }
  });
});

describe('the limits of a run', () => {
  /** Asks the upstream for leave, and the upstream gives it only when the test has looked. */
  const stays = `await fetch('https://${host}/here'); console.log('went on')`;
  const needs400Mb = 'const held = new Uint8Array(400 * 1024 * 1024).fill(1); console.log(held[held.length - 1])';

  /** Limits of the one container in which the code waits. */
  async function inForce(wish: Readonly<{ memoryMb?: number; cpus?: number }>): Promise<unknown> {
    house.owner.setSetting('desktop', 'pool.size', 1);
    const [warm] = await standReady(1);
    let goOn = () => {};
    const here = new Promise<void>((resolve) => {
      api.setAnswer((_request, response) => {
        goOn = () => void response.end();
        resolve();
      });
    });
    const id = await house.begin(agent, { runtime: 'deno', network: [host], code: stays, ...wish });
    await here;
    const { HostConfig } = limitsSchema.parse(await house.engine.inspect(warm?.id ?? ''));
    goOn();
    expect(await agent.result(id)).toMatchObject({ status: 'success', result: { stdout: 'went on\n' } });
    // A result does not wait until its container is removed.
    await standReady(1, warm?.id);
    return HostConfig;
  }
  const limits = (memoryMb: number, cpus: number) => ({
    Memory: memoryMb * mib,
    MemorySwap: memoryMb * mib,
    NanoCpus: cpus * 1e9,
    PidsLimit: 128,
  });

  it('are in force in the container that stood ready with others, and the next run has its own', async () => {
    expect(await inForce({ memoryMb: 640, cpus: 1.5 })).toEqual(limits(640, 1.5));
    expect(await inForce({})).toEqual(limits(256, 0.5));
    expect(await inForce({ memoryMb: 128, cpus: 0.1 })).toEqual(limits(128, 0.1));
  });

  it('hold the code, and what one run may use the next one may not', async () => {
    const run = (wish: Readonly<{ memoryMb?: number }>) =>
      house.run(agent, { runtime: 'deno', code: needs400Mb, ...wish });
    expect(await run({ memoryMb: 640 })).toMatchObject({ status: 'success', result: { stdout: '1\n' } });
    expect(await run({})).toMatchObject({ status: 'failed', error: { code: 'out_of_memory' } });
  });
});

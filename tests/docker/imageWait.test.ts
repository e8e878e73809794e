import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { TestAgent } from '../support/broker.ts';
import { type ContainerHouse, openContainerHouse } from '../support/containerHouse.ts';
import { type EngineRelay, type Held, openEngineRelay } from '../support/engineRelay.ts';
import { oauth3 } from '../support/headless.ts';
import { isolationsUnderTest } from '../support/testEngine.ts';

const patience = { timeout: 60_000, interval: 50 };
const itemsSchema = z.object({
  items: z.array(z.object({ runtime: z.string(), isolation: z.string(), state: z.string(), detail: z.string() })),
});
const statusSchema = z.object({ sandbox: z.object({ container: z.string() }) });

let relay: EngineRelay;
let house: ContainerHouse;
let agent: TestAgent;
let loading: Held;

beforeEach(async () => {
  relay = await openEngineRelay();
  // That of the default runtime is there, so that nothing is made which nobody asked for.
  relay.showImagesOf(['deno']);
  // As on a machine that reaches no registry: made from packages, as far as the engine takes them.
  relay.answer(/^POST \/(build|images\/create)$/, 500, { message: 'no registry answers' });
  loading = relay.hold(/^POST \/images\/load$/);
  house = await openContainerHouse({ runtimes: ['deno'], env: { DOCKER_HOST: relay.url } });
  agent = house.agent();
});
afterEach(async () => {
  loading.letGo();
  await house.stop();
  await relay.close();
});

const cli = (...args: readonly string[]) => oauth3({ OAUTH3_DATA_DIR: house.dataDir }, args);
const wish = (code: string) => ({ runtime: 'node', code }) as const;
const view = async (id: string) => (await agent.call('GET', `/requests/${id}`)).body;
const runCount = async (id: string): Promise<number> =>
  (await house.owner.audit({ limit: 500, kind: 'run.started', request: id })).length;

describe('a request for a runtime whose image is being made', () => {
  it('waits, approved, says so everywhere, and starts once when the image is there', async () => {
    const id = await house.begin(agent, wish('console.log(6 * 7)'));
    await loading.arrived;
    expect(await view(id)).toMatchObject({
      status: 'approved',
      waiting_for: expect.stringMatching(/^The Node image is being made: loading it/),
    });
    expect(await agent.call('GET', '/health')).toMatchObject({
      body: {
        sandbox: { container: expect.stringMatching(/The Node image is being made: loading it/) },
      },
    });
    expect(house.broker.trayFacts().preparing).toMatch(/^The Node image is being made/);
    const status = statusSchema.parse(JSON.parse((await cli('status', '--json')).stdout));
    expect(status.sandbox.container).toContain('The Node image is being made: loading it');
    const images = cli('images', 'node', '--json');
    // A second one of the same kind makes nothing twice.
    const second = await house.begin(agent, wish('console.log(6 * 8)'));
    expect((await view(second)).status).toBe('approved');
    loading.letGo();
    expect(await agent.result(id, 60_000)).toMatchObject({ status: 'success', result: { stdout: '42\n' } });
    expect(await agent.result(second, 60_000)).toMatchObject({ status: 'success', result: { stdout: '48\n' } });
    const { code, stdout, stderr } = await images;
    expect([code, stderr]).toEqual([0, expect.stringContaining('The Node image is being made')]);
    const { items } = itemsSchema.parse(JSON.parse(stdout));
    expect(items.find(({ runtime, isolation }) => runtime === 'node' && isolation === 'container')?.state).toBe(
      'ready',
    );
    expect(relay.calls().filter((call) => call === 'POST /images/load')).toHaveLength(1);
    expect([await runCount(id), await runCount(second)]).toEqual([1, 1]);
  });

  it('can be stopped by its owner while it waits, and then never starts', async () => {
    const id = await house.begin(agent, wish('console.log(1)'));
    await loading.arrived;
    house.owner.killRun('desktop', id);
    expect(await view(id)).toMatchObject({ status: 'failed', error: { code: 'killed' } });
    loading.letGo();
    await vi.waitFor(() => expect(house.broker.trayFacts().preparing).toBeNull(), patience);
    expect(await runCount(id)).toBe(0);
    expect((await view(id)).status).toBe('failed');
  });

  it('fails with the reason when the image cannot be made; the next one is refused with it', async () => {
    relay.answer(/^POST \/images\/load$/, 500, { message: 'no space left on device' });
    loading.letGo();
    // One isolation after the other: a stronger one has another image, which may still be possible.
    for (const isolation of isolationsUnderTest()) {
      const id = await house.begin(agent, wish('console.log(1)'));
      expect(await agent.result(id, 60_000)).toMatchObject({
        status: 'failed',
        error: {
          code: 'sandbox_unavailable',
          message: expect.stringMatching(/^The Node image could not be made: .*no space left/),
        },
      });
      expect(house.owner.requestDetail(id).manifest).toMatchObject({ isolation: { actual: isolation } });
    }
    expect(await agent.execute({ skill_id: 'containers', code: '1', metadata: { runtime: 'node' } })).toMatchObject({
      status: 503,
      body: { error: { code: 'sandbox_unavailable', hint: expect.stringContaining('no space left on device') } },
    });
    const { code, stdout } = await cli('images', 'node', '--json');
    const { items } = itemsSchema.parse(JSON.parse(stdout));
    expect(code).not.toBe(0);
    expect(items.find(({ runtime, isolation }) => runtime === 'node' && isolation === 'container')).toMatchObject({
      state: 'unavailable',
      detail: expect.stringContaining('no space left on device'),
    });
  });
});

describe('an isolation that the engine does not give', () => {
  it('is refused at once, with the reason and never with a weaker one', async () => {
    const metadata = { runtime: 'deno', isolation: 'kata' };
    expect(await agent.execute({ skill_id: 'containers', code: '1', metadata })).toMatchObject({
      status: 503,
      body: { error: { code: 'sandbox_unavailable', message: expect.stringContaining('kata') } },
    });
  });
});

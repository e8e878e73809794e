import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { z } from 'zod';
import type { Isolation, Runtime } from '../../contract/runtime.ts';
import { ensureBuilt } from '../../scripts/setup/appBuild.ts';
import { cacheDirectory } from '../../scripts/setup/checkout.ts';
import { startTestBroker, type TestAgent, type TestBroker, type TestBrokerOptions } from './broker.ts';
import { type ContainerFacts, engineUnderTest, openTestEngine, type TestEngine } from './testEngine.ts';

const imagesLimitMs = 600_000;
const runLimitMs = 90_000;

const storedText = z.object({ value: z.string() });

/** The label that containers of a data folder carry, as `houseContainers.ts` makes it; also after the app was killed. */
export const installIdOf = (dataDir: string): string => {
  const database = new Database(join(dataDir, 'proxy.db'), { readonly: true });
  try {
    const row = storedText.parse(database.prepare("SELECT value FROM broker_state WHERE key = 'install_id'").get());
    return createHash('sha256')
      .update(`${row.value} ${realpathSync(dataDir)}`)
      .digest('hex')
      .slice(0, 32);
  } finally {
    database.close();
  }
};

/** What a house needs of the environment to use the engine of this test run, in this process or one of its own. */
export const engineForHouse = (): Readonly<Record<string, string>> => ({
  DOCKER_HOST: engineUnderTest().url,
  OAUTH3_SANDBOX: 'docker',
});

export type JobWish = Readonly<{
  code: string;
  runtime?: Runtime;
  /** The least that it may run in. */
  isolation?: Isolation;
  secrets?: readonly string[];
  network?: readonly string[];
  timeoutS?: number;
  memoryMb?: number;
  cpus?: number;
}>;

export type ContainerHouse = TestBroker &
  Readonly<{
    engine: TestEngine;
    installId: string;
    /** Containers of this house, in any state. */
    containers(): Promise<readonly ContainerFacts[]>;
    /** Asks as an agent, says yes as the owner where a card waits, and gives the final answer of the bridge. */
    run(agent: TestAgent, wish: JobWish, timeoutMs?: number): Promise<Readonly<Record<string, unknown>>>;
    /** The same up to the decision: the request's id, while it is approved, running or done. */
    begin(agent: TestAgent, wish: JobWish): Promise<string>;
  }>;

export type ContainerHouseOptions = TestBrokerOptions &
  Readonly<{
    /**
     * Made before the house is handed over; default: node, `[]`: none. Images stay at the engine, so only the first test
     * waits.
     */
    runtimes?: readonly Runtime[];
    isolation?: Exclude<Isolation, 'embedded'>;
  }>;

const bodyOf = (wish: JobWish): Readonly<Record<string, unknown>> => ({
  skill_id: 'containers',
  code: wish.code,
  secrets: wish.secrets ?? [],
  metadata: {
    ...(wish.runtime === undefined ? {} : { runtime: wish.runtime }),
    ...(wish.isolation === undefined ? {} : { isolation: wish.isolation }),
    ...(wish.network === undefined ? {} : { network: wish.network }),
    ...(wish.timeoutS === undefined ? {} : { timeout: wish.timeoutS }),
    ...(wish.memoryMb === undefined ? {} : { memory_mb: wish.memoryMb }),
    ...(wish.cpus === undefined ? {} : { cpus: wish.cpus }),
  },
});

async function untilReady(
  house: TestBroker,
  runtimes: readonly Runtime[],
  isolation: Exclude<Isolation, 'embedded'>,
): Promise<void> {
  if (runtimes.length === 0) return;
  const limit = AbortSignal.timeout(imagesLimitMs);
  const late = new Promise<never>((_, reject) => limit.addEventListener('abort', () => reject(limit.reason)));
  const views = await Promise.race([house.owner.prepareSandboxes(runtimes, isolation, () => {}), late]);
  const missing = views.filter(({ state }) => state !== 'ready');
  if (missing.length > 0) throw new Error(missing.map(({ runtime, detail }) => `${runtime}: ${detail}`).join(' '));
}

/**
 * The whole broker of `startTestBroker` with containers of the real engine, and what an outsider sees of them. `stop`
 * also waits until nothing of it is left at the engine, and fails the test where something is.
 */
export const openContainerHouse = async (options: ContainerHouseOptions = {}): Promise<ContainerHouse> => {
  const { runtimes = ['node'], isolation = 'container', ...more } = options;
  await ensureBuilt();
  const engine = openTestEngine();
  const house = await startTestBroker({
    cacheDir: cacheDirectory,
    ...more,
    env: { ...engineForHouse(), ...more.env },
  });
  await untilReady(house, runtimes, isolation).catch(async (error: unknown) => {
    await house.stop();
    throw error;
  });
  const installId = installIdOf(house.dataDir);
  const begin = async (agent: TestAgent, wish: JobWish): Promise<string> => {
    const { status, body } = await agent.execute(bodyOf(wish));
    const id = z.string().safeParse(body.request_id);
    if (!id.success) throw new Error(`the bridge answered ${status}: ${JSON.stringify(body)}`);
    if (body.status === 'pending') {
      const decided = await house.decide(id.data, 'once');
      if (!decided.ok) throw new Error(`the request was not approved: ${JSON.stringify(decided)}`);
    }
    return id.data;
  };
  return {
    ...house,
    engine,
    installId,
    containers: () => engine.containersOf(installId),
    begin,
    run: async (agent, wish, timeoutMs = runLimitMs) => agent.result(await begin(agent, wish), timeoutMs),
    async stop() {
      await house.stop();
      try {
        await engine.untilNoneOf(installId);
      } finally {
        await engine.removeAllOf(installId);
        engine.close();
      }
    },
  };
};

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Isolation, Runtime } from '../contract/runtime.ts';
import { EngineApi } from '../main/backends/docker/engineApi.ts';
import { seccompProfile } from '../main/backends/docker/seccompProfile.ts';
import type { UsableEngine } from '../scripts/setup/containerEngine.ts';
import { ensureRunnerBuilt } from '../scripts/setup/runnerBuild.ts';
import { startBotApi } from '../tests/support/botApi.ts';
import { type BrokerUnderTest, startBroker } from './house.ts';
import { openWarmth, type Warmth } from './warmth.ts';

const OWNER = 4711;

const answerSchema = z.looseObject({
  status: z.string(),
  request_id: z.string().optional(),
  stdout: z.string().optional(),
});
const resultSchema = z.looseObject({
  status: z.string(),
  result: z.looseObject({ stdout: z.string(), stderr: z.string() }).optional(),
});
const imagesSchema = z.looseObject({
  items: z.array(z.looseObject({ runtime: z.string(), isolation: z.string(), image: z.string().nullish() })),
});

export type Execute = Readonly<{
  code: string;
  secrets?: readonly string[];
  metadata: Readonly<Record<string, unknown>>;
}>;

export type ContainerHouse = Readonly<{
  broker: BrokerUnderTest;
  api: EngineApi;
  warmth: Warmth;
  engineUrl: string;
  /** Holds the seccomp profile of the sandboxes. */
  profileFile: string;
  /** Ids of the images of one isolation level, made first where they are missing. */
  images: (runtimes: readonly Runtime[], isolation: Isolation) => ReadonlyMap<Runtime, string>;
  /** Has this request trusted by a tap; resolves with a function that runs it and gives what it printed. */
  trusted: (request: Execute) => Promise<() => Promise<string>>;
  close: () => Promise<void>;
}>;

/** A broker in a process of its own that uses this engine, with an owner who taps. */
export async function startContainerHouse(
  engine: UsableEngine,
  extra: Readonly<Record<string, string>> = {},
): Promise<ContainerHouse> {
  await ensureRunnerBuilt();
  const api = new EngineApi({ kind: 'local', socketPath: engine.socketPath });
  const warmth = await openWarmth(api);
  const bot = await startBotApi();
  const broker = await startBroker({
    DOCKER_HOST: engine.url,
    OAUTH3_SANDBOX: 'docker',
    TELEGRAM_API_ROOT: bot.root,
    TELEGRAM_BOT_TOKEN: bot.token,
    TELEGRAM_CHAT_ID: String(OWNER),
    ...extra,
  });
  const profileFile = join(broker.folder, 'seccomp.json');
  writeFileSync(profileFile, seccompProfile);
  const headers = { authorization: `Bearer ${broker.token}`, 'content-type': 'application/json' };

  const execute = async (request: Execute): Promise<z.infer<typeof answerSchema>> => {
    const body = JSON.stringify({ skill_id: 'bench', ...request });
    const response = await fetch(`${broker.url}/execute`, { method: 'POST', headers, body });
    return answerSchema.parse(await response.json());
  };
  /** What a run printed that takes longer than the bridge lets an agent wait. */
  const longRun = async (requestId: string): Promise<string> => {
    for (;;) {
      const response = await fetch(`${broker.url}/requests/${requestId}?wait=60`, { headers });
      const { status, result } = resultSchema.parse(await response.json());
      if (status === 'success') return result?.stdout ?? '';
      if (status !== 'running' && status !== 'approved') throw new Error(`${status}: ${result?.stderr}`);
    }
  };
  const run = async (request: Execute): Promise<string> => {
    const answer = await execute(request);
    if (answer.status === 'success') return answer.stdout ?? '';
    if (answer.status === 'running' && answer.request_id !== undefined) return longRun(answer.request_id);
    throw new Error(`unexpected answer: ${JSON.stringify(answer)}`);
  };

  return {
    broker,
    api,
    warmth,
    engineUrl: engine.url,
    profileFile,
    images: (runtimes, isolation) => {
      const printed = broker.oauth3('images', ...runtimes, '--isolation', isolation);
      const items = imagesSchema.parse(JSON.parse(printed)).items.filter((item) => item.isolation === isolation);
      return new Map(runtimes.map((runtime) => [runtime, items.find((item) => item.runtime === runtime)?.image ?? '']));
    },
    trusted: async (request) => {
      const first = await execute(request);
      if (first.status !== 'pending' || first.request_id === undefined) {
        throw new Error(`not asked: ${JSON.stringify(first)}`);
      }
      await bot.tap('⏱ Trust 24h', OWNER);
      await longRun(first.request_id);
      return () => run(request);
    },
    close: async () => {
      api.close();
      await broker.close();
      await bot.close();
    },
  };
}

/** Puts a secret into the vault, which may go to one host. */
export function addSecret({ broker }: ContainerHouse, name: string, host: string, value: string): void {
  broker.oauth3With(value, 'secret', 'add', name, '--host', host);
}

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Runtime } from '../../contract/runtime.ts';
import { ensureBuilt } from '../../scripts/setup/appBuild.ts';
import { cacheDirectory } from '../../scripts/setup/checkout.ts';
import { type BotApi, startBotApi } from './botApi.ts';
import { agentAt, type TestAgent } from './broker.ts';
import { engineForHouse, installIdOf } from './containerHouse.ts';
import { type Finished, type Headless, oauth3, startHeadless } from './headless.ts';
import { startHttpsUpstream, type UpstreamServer } from './httpsUpstream.ts';
import { openTestEngine, type TestEngine } from './testEngine.ts';

const ownerId = 42;

/** A broker with containers in a process of its own, that can be killed and started again on the same data folder. */
export type HeadlessHouse = Readonly<{
  dataDir: string;
  engine: TestEngine;
  api: UpstreamServer;
  /** The name of `api` in requests. */
  host: string;
  /** The broker that runs now; throws when none does. */
  broker(): Headless;
  /** `more`: on top of the environment of every start. */
  start(more?: Readonly<Record<string, string>>): Promise<Headless>;
  killNow(): Promise<void>;
  oauth3(args: readonly string[], input?: string): Promise<Finished>;
  /** The same agent at each start. */
  agent(): TestAgent;
  /** Presses a button of the card about this skill. */
  tap(label: '✅ Run Once' | '⏱ Trust 24h', about: string): Promise<void>;
  /** Of the containers; known after the first start. */
  installId(): string;
  close(): Promise<void>;
}>;

/** Opens a house, starts its broker, and has it make what is missing of the images of these runtimes. */
export async function openHeadlessHouse(
  runtimes: readonly Runtime[],
  more: Readonly<Record<string, string>> = {},
): Promise<HeadlessHouse> {
  await ensureBuilt();
  const host = 'api.example.com';
  const scratch = mkdtempSync(join(tmpdir(), 'oauth3-headless-'));
  const dataDir = join(scratch, 'data');
  const file = (name: string, text: string): string => {
    const path = join(scratch, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const engine = openTestEngine();
  const api = await startHttpsUpstream([host]);
  const bot: BotApi = await startBotApi();
  const env = {
    ...engineForHouse(),
    OAUTH3_DATA_DIR: dataDir,
    XDG_CACHE_HOME: dirname(cacheDirectory),
    OAUTH3_PASSPHRASE_FILE: file('passphrase', randomBytes(12).toString('hex')),
    OAUTH3_EGRESS_CA_FILE: file('roots.pem', api.authorityPem),
    OAUTH3_EGRESS_HOSTS: `${host}=127.0.0.1:${api.port}`,
    TELEGRAM_BOT_TOKEN: bot.token,
    TELEGRAM_CHAT_ID: String(ownerId),
    TELEGRAM_API_ROOT: bot.root,
    ...more,
  };
  let running: Headless | null = null;
  let token = '';
  const broker = (): Headless => {
    if (running === null) throw new Error('no broker runs');
    return running;
  };
  const start: HeadlessHouse['start'] = async (extra = {}) => {
    running = await startHeadless({ ...env, ...extra });
    return running;
  };
  await start();
  const images = await oauth3(env, ['images', ...runtimes]);
  if (images.code !== 0) throw new Error(`no images: ${images.stdout}${images.stderr}`);
  const added = await oauth3(env, ['agent', 'add', 'laptop', '--json']);
  token = z.object({ token: z.string() }).parse(JSON.parse(added.stdout)).token;
  return {
    dataDir,
    engine,
    api,
    host,
    broker,
    start,
    async killNow() {
      await broker().killNow();
      running = null;
    },
    oauth3: (args, input) => oauth3(env, args, input),
    agent: () => agentAt(broker().url, 'laptop', token),
    tap: async (label, about) => void (await bot.tap(label, ownerId, { about })),
    installId: () => installIdOf(dataDir),
    async close() {
      await running?.stop();
      const installId = installIdOf(dataDir);
      await engine.removeAllOf(installId);
      engine.close();
      await Promise.all([api.close(), bot.close()]);
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { type BotApi, startBotApi } from '../../tests/support/botApi.ts';
import { makeAuthority } from '../../tests/support/certificates.ts';
import { startUpstream, type UpstreamServer } from '../../tests/support/httpsUpstream.ts';
import { noEngine } from '../../tests/support/noEngine.ts';
import { root, SetupError } from '../setup/checkout.ts';

/** The only approver of the demo's bot. */
export const OWNER = 4711;

export type House = Readonly<{
  url: string;
  dataDir: string;
  key: string;
  api: UpstreamServer;
  bot: BotApi;
  /** The owner's command line; resolves with what it printed, parsed. */
  oauth3: (args: readonly string[], stdin?: string) => Promise<unknown>;
  close: () => Promise<void>;
}>;

/**
 * Everything that the demo needs, nothing of it outside this machine: the API, Telegram's server, the real app.
 * `engine`: URL of a container engine that carries Deno, Node and Python; null: the embedded sandbox.
 */
export async function openHouse(engine: string | null): Promise<House> {
  const folder = await mkdtemp(join(tmpdir(), 'oauth3-demo-'));
  const key = `sk-demo-${randomBytes(24).toString('base64url')}`;
  const authority = await makeAuthority('OAuth3 demo');
  const api = await startUpstream(await authority.issue(['api.openai.com']), {
    answer: (request, response) => {
      const authorised = request.headers.authorization === `Bearer ${key}`;
      response.writeHead(authorised ? 200 : 401, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify(
          authorised
            ? { choices: [{ message: { content: 'Hello! How can I help?' } }], debug: `you sent Bearer ${key}` }
            : { error: 'wrong key' },
        ),
      );
    },
  });
  const bot = await startBotApi();
  await writeFile(join(folder, 'roots.pem'), authority.certPem);
  await writeFile(join(folder, 'passphrase'), randomBytes(24).toString('base64url'), { mode: 0o600 });
  const dataDir = join(folder, 'data');
  const env = {
    ...process.env,
    ...(engine === null ? noEngine : { DOCKER_HOST: engine }),
    OAUTH3_DATA_DIR: dataDir,
    PORT: '0',
    OAUTH3_BIND: '127.0.0.1',
    OAUTH3_SANDBOX: engine === null ? 'embedded' : 'docker',
    OAUTH3_PASSPHRASE_FILE: join(folder, 'passphrase'),
    OAUTH3_EGRESS_CA_FILE: join(folder, 'roots.pem'),
    OAUTH3_EGRESS_HOSTS: `api.openai.com=127.0.0.1:${api.port}`,
    TELEGRAM_API_ROOT: bot.root,
    TELEGRAM_BOT_TOKEN: bot.token,
    TELEGRAM_CHAT_ID: String(OWNER),
    OPENCLAW_HOOK_URL: '',
    LOG_LEVEL: 'warn',
  };
  const app = spawn(process.execPath, [join(root, 'scripts/start.ts')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await readyUrl(app);
  return {
    url,
    dataDir,
    key,
    api,
    bot,
    oauth3: (args, stdin = '') => runCli(args, stdin, env),
    close: async () => {
      const ended = new Promise((resolve) => app.once('close', resolve));
      app.kill('SIGTERM');
      await ended;
      await Promise.all([api.close(), bot.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function readyUrl(app: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (app.stdout === null) throw new Error('the app has no output');
    createInterface({ input: app.stdout }).on('line', (line) => {
      process.stdout.write(`   ${line}\n`);
      const url = /^oauth3 ready (\S+) /.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
    app.once('close', (code) => reject(new SetupError(`The app ended before it was ready (exit ${code}).`)));
  });
}

function runCli(args: readonly string[], stdin: string, env: NodeJS.ProcessEnv): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const cli = spawn(process.execPath, [join(root, 'cli/index.ts'), ...args, '--json'], { env });
    let out = '';
    let problem = '';
    cli.stdout.on('data', (chunk) => {
      out += String(chunk);
    });
    cli.stderr.on('data', (chunk) => {
      problem += String(chunk);
    });
    cli.once('close', (code) => {
      if (code === 0) resolve(z.json().parse(JSON.parse(out)));
      else reject(new SetupError(`oauth3 ${args.join(' ')} failed: ${problem}`));
    });
    cli.stdin.end(stdin);
  });
}

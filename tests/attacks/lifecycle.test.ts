import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BotApi, startBotApi } from '../support/botApi.ts';
import { agentAt, fakeKey, type TestAgent } from '../support/broker.ts';
import { type Headless, oauth3, startHeadless } from '../support/headless.ts';
import { startHttpsUpstream, type UpstreamServer } from '../support/httpsUpstream.ts';

const ownerId = 42;

let scratch: string;
let env: Record<string, string>;
let api: UpstreamServer & Readonly<{ authorityPem: string }>;
let bot: BotApi;
let broker: Headless;
let token: string;

beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'oauth3-crash-'));
  api = await startHttpsUpstream(['api.example.com']);
  bot = await startBotApi();
  const file = (name: string, text: string): string => {
    const path = join(scratch, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  env = {
    OAUTH3_DATA_DIR: join(scratch, 'data'),
    OAUTH3_PASSPHRASE_FILE: file('passphrase', randomBytes(12).toString('hex')),
    OAUTH3_EGRESS_CA_FILE: file('roots.pem', api.authorityPem),
    OAUTH3_EGRESS_HOSTS: `api.example.com=127.0.0.1:${api.port}`,
    TELEGRAM_BOT_TOKEN: bot.token,
    TELEGRAM_CHAT_ID: String(ownerId),
    TELEGRAM_API_ROOT: bot.root,
  };
  broker = await startHeadless(env);
  token = JSON.parse((await oauth3(env, ['agent', 'add', 'laptop', '--json'])).stdout).token;
  await oauth3(env, ['secret', 'add', 'KEY', '--host', 'api.example.com'], fakeKey());
});
afterEach(async () => {
  await broker.stop();
  await api.close();
  await bot.close();
  rmSync(scratch, { recursive: true, force: true });
});

const agent = (): TestAgent => agentAt(broker.url, 'laptop', token);
const wish = (name: string) => ({
  skill_id: name,
  code: `const answer = await fetch('https://api.example.com/${name}', {
    method: 'POST', headers: { authorization: 'Bearer ' + Deno.env.get('KEY') } });
    console.log(answer.status);`,
  metadata: { secrets: ['KEY'], network: ['api.example.com'] },
});

async function ask(name: string): Promise<string> {
  const { body } = await agent().execute(wish(name));
  expect(body.status).toBe('pending');
  return String(body.request_id);
}

async function restart(): Promise<void> {
  broker = await startHeadless(env);
}

/** Paths that the upstream was asked for, each as often as it was. */
const reached = (): readonly string[] => api.received.map(({ path }) => path);

/** Waits until the upstream has been asked that often. */
const reachedTimes = (times: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setInterval(() => {
      if (api.received.length < times) return;
      clearInterval(timer);
      resolve();
    }, 10);
  });

const statusOf = async (id: string): Promise<unknown> => (await agent().call('GET', `/requests/${id}`)).body.status;

/** What the database says, read after the broker is gone: whole, and each request in exactly one state. */
function inspect(): readonly Readonly<{ id: string; status: string; executions: number }>[] {
  const database = new Database(join(scratch, 'data', 'proxy.db'));
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
  const rows = database
    .prepare(
      `SELECT id, status, (SELECT count(*) FROM executions WHERE request_id = requests.id) AS executions
       FROM requests ORDER BY created_at, rowid`,
    )
    .all();
  database.close();
  return rows as readonly Readonly<{ id: string; status: string; executions: number }>[];
}

const childrenOf = (pid: number): readonly string[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);

/** Waits until these processes have ended (a zombie has). */
const gone = (pids: readonly string[]): Promise<void> =>
  new Promise((resolve) => {
    const lives = (pid: string): boolean => {
      const stat = `/proc/${pid}/stat`;
      return existsSync(stat) && !/\) Z /.test(readFileSync(stat, 'utf8'));
    };
    const timer = setInterval(() => {
      if (pids.some(lives)) return;
      clearInterval(timer);
      resolve();
    }, 20);
  });

const messageOf = (name: string) => bot.messages(ownerId).find(({ text }) => text.includes(name));

describe('K181 P258 a broker that is killed', () => {
  it('while a request waits: it still waits, and the button of the old message works once', async () => {
    const id = await ask('waiting');
    await bot.waitFor(() => messageOf('waiting'));
    await broker.killNow();
    expect(inspect()).toMatchObject([{ id, status: 'pending', executions: 0 }]);
    await restart();
    expect(await statusOf(id)).toBe('pending');
    const { text } = await bot.tap('✅ Run Once', ownerId);
    expect(text).not.toBe('');
    expect(await agent().result(id)).toMatchObject({ status: 'success', decision: 'once' });
    expect(reached()).toEqual(['/waiting']);
    await bot.waitFor(() => messageOf('waiting')?.buttons.length === 0);
  });

  it('after the decision was consumed and before the run: it is interrupted and never runs', async () => {
    await oauth3(env, ['settings', 'set', 'limits.concurrent_runs', '1']);
    api.setAnswer(() => {});
    const first = await ask('first');
    await bot.tap('✅ Run Once', ownerId);
    await reachedTimes(1);
    const second = await ask('second');
    await bot.tap('✅ Run Once', ownerId);
    expect(await statusOf(second)).toBe('approved');
    await broker.killNow();
    expect(inspect()).toMatchObject([
      { id: first, status: 'running', executions: 1 },
      { id: second, status: 'approved', executions: 0 },
    ]);
    await restart();
    expect(await statusOf(first)).toBe('interrupted');
    expect(await statusOf(second)).toBe('interrupted');
    const again = await ask('second');
    expect(again).not.toBe(second);
    expect(reached()).toEqual(['/first']);
  });

  it('in the middle of a run: it is interrupted, its sandbox dies with it, and nothing runs twice', async () => {
    let answered = 0;
    api.setAnswer((_request, response) => {
      answered += 1;
      if (answered > 1) response.end('ok');
    });
    const id = await ask('running');
    await bot.tap('⏱ Trust 24h', ownerId);
    await reachedTimes(1);
    expect(await statusOf(id)).toBe('running');
    const sandboxes = childrenOf(broker.pid);
    expect(sandboxes.length).toBeGreaterThan(0);
    await broker.killNow();
    await gone(sandboxes);
    expect(inspect()).toMatchObject([{ id, status: 'running', executions: 1 }]);
    await restart();
    expect(await agent().result(id)).toMatchObject({ status: 'interrupted' });
    expect(reached()).toEqual(['/running']);
    // The trust that the owner gave outlives the crash; what it allows is a new request.
    expect(await agent().execute(wish('running'))).toMatchObject({
      status: 200,
      body: { status: 'success', trusted: true },
    });
    expect(reached()).toEqual(['/running', '/running']);
    await broker.stop();
    expect(inspect().map(({ status, executions }) => [status, executions])).toEqual([
      ['interrupted', 1],
      ['success', 1],
    ]);
  });
});

describe('a broker that is stopped and started', () => {
  it('keeps what waits, what was decided and what ran; trust still holds', async () => {
    const done = await ask('done');
    await bot.tap('⏱ Trust 24h', ownerId);
    expect(await agent().result(done)).toMatchObject({ status: 'success' });
    const waiting = await ask('waits');
    expect(await broker.stop()).toBe(0);
    await restart();
    expect(await agent().result(done)).toMatchObject({ status: 'success', result: { stdout: '200\n', exit_code: 0 } });
    expect(await statusOf(waiting)).toBe('pending');
    expect(await agent().execute(wish('done'))).toMatchObject({ status: 200, body: { trusted: true } });
    const { body } = await agent().execute(wish('waits'));
    expect(body.request_id).toBe(waiting);
    await bot.tap('❌ Deny', ownerId);
    expect(await agent().result(waiting)).toMatchObject({ status: 'denied' });
    expect(reached()).toEqual(['/done', '/done']);
    expect((await oauth3(env, ['audit', 'verify'])).code).toBe(0);
  });
});

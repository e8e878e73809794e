import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { CodedError } from '../../contract/errors.ts';
import { maxSecrets } from '../../main/core/secretRules.ts';
import { type AgentHouse, refusalOf, startAgentHouse, TestClock } from '../support/agentHouse.ts';
import { startBotApi } from '../support/botApi.ts';
import { fakeKey, startTestBroker, type TestBroker, type TestBrokerOptions } from '../support/broker.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

let cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.reverse()) await clean();
  cleanups = [];
});

async function start(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const house = await startTestBroker(options);
  cleanups.push(() => house.stop());
  return house;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-bad-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'data');
}

/** A coded refusal of the owner side, with all that it tells. */
function refused(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof CodedError) return `${error.code}: ${error.message} (${error.extras.hint ?? ''})`;
    throw error;
  }
  return 'accepted';
}

const wish = (code: string, change: object = {}) => ({ skill_id: 'skill', code, ...change });
const idOf = (body: Readonly<Record<string, unknown>>): string => String(body.request_id);

describe('names that mean something to JavaScript', () => {
  it('are refused where they would steer, and plain data where they are data', async () => {
    const house = await start();
    const agent = house.agent('constructor');
    const args = { constructor: { prototype: { polluted: 1 } }, toString: 'x', hasOwnProperty: null };
    const code = `console.log(process.env.SKILL_ARGS, ({}).polluted, Deno.env.get('__proto__'), Deno.env.get('constructor'));`;
    const { body } = await agent.execute(wish(code, { skill_id: '__proto__', args }));
    await house.decide(idOf(body), 'once');
    const { result } = await agent.result(idOf(body));
    const [line = ''] = /^\{.*\} undefined undefined undefined$/m.exec(Object(result).stdout) ?? [];
    expect(JSON.parse(line.slice(0, line.lastIndexOf('}') + 1))).toEqual(args);
    expect('polluted' in {}).toBe(false);

    for (const key of ['__proto__', 'constructor', 'toString']) {
      expect(refused(() => house.owner.setSetting('desktop', key as never, 1))).toMatch(
        /^invalid_request: .*no setting/,
      );
      expect(await agent.call('GET', `/requests/${idOf(body)}?${key}=1`)).toMatchObject({ status: 400 });
      expect(await agent.call('GET', `/requests/${key}`)).toMatchObject({ status: 404 });
    }
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      expect(refused(() => house.owner.addSecret('desktop', { name, value: fakeKey() }))).toMatch(/^invalid_request/);
      expect(await agent.execute(wish('1', { secrets: [name] }))).toMatchObject({ status: 400 });
    }
    // Settings that exist are what they were.
    expect(house.owner.settings()['limits.pending_per_agent']).toBe(20);
  });
});

describe('nesting', () => {
  const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);

  it('is taken to 32 levels and refused beyond, whatever reads it after us', async () => {
    const house = await start();
    const agent = house.agent();
    // The body and `args` are two levels of their own.
    const { status, body } = await agent.execute(
      wish('console.log(process.env.SKILL_ARGS)', { args: { a: nested(30) } }),
    );
    expect(status).toBe(202);
    await house.decide(idOf(body), 'once');
    expect(await agent.result(idOf(body))).toMatchObject({
      result: { stdout: `${JSON.stringify({ a: nested(30) })}\n` },
    });
    expect(await agent.execute(wish('1', { args: { a: nested(31) } }))).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_request', message: 'The body is nested deeper than 32 levels' } },
    });
  });
});

describe('ten thousand secrets', () => {
  it('are too many for a request, which says how many are not', async () => {
    const agent = (await start()).agent();
    const secrets = Array.from({ length: 10_000 }, (_, at) => `KEY_${at}`);
    expect(await agent.execute(wish('1', { secrets }))).toMatchObject({
      status: 400,
      body: { error: { message: 'secrets: must be at most 64 entries' } },
    });
  });

  it('do not fit into the vault, which is told before anything is stored; as many as fit are still masked', async () => {
    const house = await start();
    const values = Array.from({ length: maxSecrets }, fakeKey);
    for (const [at, value] of values.entries()) house.owner.addSecret('desktop', { name: `KEY_${at}`, value });
    const events = await house.owner.verifyAudit();
    expect(refused(() => house.owner.addSecret('desktop', { name: 'ONE_MORE', value: fakeKey() }))).toBe(
      `invalid_request: There are ${maxSecrets} secrets already; more cannot be masked in time ` +
        '(Remove some that nothing uses any more: oauth3 secret list, then oauth3 secret rm NAME)',
    );
    expect(await house.owner.verifyAudit()).toEqual(events);
    expect(house.owner.secrets()).toHaveLength(maxSecrets);
    house.owner.addSecret('desktop', { name: 'KEY_0', value: fakeKey(), replace: true });
    const agent = house.agent();
    const { body } = await agent.execute(wish(`console.log(${JSON.stringify(values.at(-1))})`));
    await house.decide(idOf(body), 'once');
    expect(await agent.result(idOf(body))).toMatchObject({ result: { stdout: '[redacted]\n' } });
    house.owner.removeSecret('desktop', 'KEY_1');
    house.owner.addSecret('desktop', { name: 'ONE_MORE', value: fakeKey() });
  }, 120_000);
});

describe('a secret bound to a host that shows what it is sent', () => {
  it('E102 is refused on every way to bind one', async () => {
    const house = await start();
    const input = { name: 'KEY', value: fakeKey() };
    const words = /^invalid_request: (eu\.)?httpbin\.org shows what it is sent to others/;
    expect(refused(() => house.owner.addSecret('desktop', { ...input, hosts: ['httpbin.org'] }))).toMatch(words);
    expect(house.owner.secrets()).toEqual([]);
    house.owner.addSecret('desktop', { ...input, hosts: ['api.example.com'] });
    expect(
      refused(() => house.owner.bindSecret('desktop', { name: 'KEY', hosts: ['api.example.com', 'eu.httpbin.org'] })),
    ).toMatch(words);
    expect(house.owner.secrets()).toMatchObject([{ hosts: ['api.example.com'] }]);
  });
});

describe('code behind a URL', () => {
  let house: AgentHouse;
  const url = 'https://gist.example.com/skill.ts';
  const execute = async (source: string | Uint8Array) => {
    house = await startAgentHouse();
    cleanups.push(() => house.end());
    house.world.sources.set(url, source);
    const { token } = house.addAgent('laptop');
    return house.call('POST', '/execute', { token, body: { skill_id: 'x', skill_url: url } });
  };

  it.each<[string, string, string | Uint8Array]>([
    ['invalid UTF-8', '422 source_unavailable', new Uint8Array([0x31, 0x3b, 0xc3, 0x28])],
    ['half a surrogate in UTF-8', '422 source_unavailable', new Uint8Array([0xed, 0xa0, 0x80])],
    ['UTF-16', '422 source_unavailable', new Uint8Array(Buffer.from('\ufeff1', 'utf16le'))],
    ['nothing', '422 source_unavailable', ''],
    ['more than 256 KiB', '413 too_large', 'x'.repeat(256 * 1024 + 1)],
  ])('that is %s is refused, and nothing is stored', async (_what, refusal, source) => {
    const answer = await execute(source);
    expect(refusalOf(answer)).toBe(refusal);
    expect(house.store.pendingRequests()).toEqual([]);
    expect(house.auditKinds()).not.toContain('request.created');
  });

  it('is stored byte for byte when it is valid, a byte order mark included', async () => {
    const answer = await execute('\ufeffconsole.log("é")');
    expect(answer.status).toBe(202);
    expect(house.auditKinds()).toContain('request.created');
  });
});

describe('Telegram', () => {
  const env = (root: string, token: string) => ({
    TELEGRAM_API_ROOT: root,
    TELEGRAM_BOT_TOKEN: token,
    TELEGRAM_CHAT_ID: '42',
  });

  async function freePort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  it('that cannot be reached holds nothing up: the window still decides, and the status says so', async () => {
    const token = `123456:${randomBytes(20).toString('hex')}`;
    const house = await start({ env: env(`http://127.0.0.1:${await freePort()}`, token) });
    const agent = house.agent();
    expect((await agent.call('GET', '/health')).body).toMatchObject({ status: 'degraded', telegram: 'disconnected' });
    const { status, body } = await agent.execute(wish('console.log(1)'));
    expect({ status, message: body.message }).toEqual({ status: 202, message: 'Waiting in the app window' });
    await house.decide(idOf(body), 'once');
    expect(await agent.result(idOf(body))).toMatchObject({ status: 'success' });
    const { notes } = await house.owner.status();
    expect(notes.join('\n')).toMatch(/Telegram cannot be reached/);
    expect(notes.join('\n')).not.toContain(token);
  });

  it('with a wrong token says which setting to look at, and nobody who holds the token learns it there', async () => {
    const bot = await startBotApi();
    cleanups.push(() => bot.close());
    const token = `123456:${randomBytes(20).toString('hex')}`;
    const house = await start({ env: env(bot.root, token) });
    const agent = house.agent();
    expect((await agent.call('GET', '/health')).body).toMatchObject({ status: 'degraded', telegram: 'disconnected' });
    const { notes } = await house.owner.status();
    expect(notes.join('\n')).toMatch(/TELEGRAM_BOT_TOKEN/);
    expect(notes.join('\n')).not.toContain(token);
    expect((await agent.execute(wish('1'))).body.message).toBe('Waiting in the app window');
  });
});

describe('a wrong passphrase', () => {
  it('leaves the vault locked with everything in it, says so, and the right one opens it', async () => {
    const dataDir = newFolder();
    const first = await startTestBroker({ dataDir });
    const { token } = first.owner.addAgent('desktop', 'laptop');
    first.owner.addSecret('desktop', { name: 'KEY', value: fakeKey() });
    await first.stop();
    const second = await start({ dataDir, passphrase: randomBytes(12).toString('hex') });
    const agent = second.agentWithToken('laptop', token);
    expect((await agent.call('GET', '/health')).body).toMatchObject({ status: 'degraded', vault: 'locked' });
    expect(await agent.execute(wish('1'))).toMatchObject({ status: 503, body: { error: { code: 'vault_locked' } } });
    const { notes } = await second.owner.status();
    expect(notes.join('\n')).toMatch(/not unlocked: .*passphrase.*oauth3 unlock/);
    expect(second.owner.secrets()).toMatchObject([{ name: 'KEY', version: 1 }]);
    await second.owner.unlock('desktop', first.passphrase ?? '');
    expect(await agent.execute(wish('1'))).toMatchObject({ status: 202 });
  });
});

describe('a clock that jumps', () => {
  const code = 'console.log(1)';

  it('back suspends what was trusted for 24 hours, over a restart too, until the time is right again', async () => {
    const clock = new TestClock();
    const dataDir = newFolder();
    const passphrase = randomBytes(12).toString('hex');
    const open = () => startTestBroker({ dataDir, passphrase, ports: { clock } });
    let house = await open();
    const { token } = house.owner.addAgent('desktop', 'laptop');
    const agent = () => house.agentWithToken('laptop', token);
    const { body } = await agent().execute(wish(code));
    await house.decide(idOf(body), '24h');
    await agent().result(idOf(body));
    expect(await agent().execute(wish(code))).toMatchObject({ status: 200, body: { trusted: true } });

    clock.wall -= hourMs;
    const asked = await agent().execute(wish(code));
    expect(asked).toMatchObject({ status: 202, body: { status: 'pending' } });
    await agent().call('DELETE', `/requests/${idOf(asked.body)}`);
    await house.stop();
    house = await open();
    cleanups.push(() => house.stop());
    const again = await agent().execute(wish(code));
    expect(again).toMatchObject({ status: 202, body: { status: 'pending' } });
    await agent().call('DELETE', `/requests/${idOf(again.body)}`);

    clock.wall += hourMs + minuteMs;
    expect(await agent().execute(wish(code))).toMatchObject({ status: 200, body: { trusted: true } });
    clock.wall += 24 * hourMs;
    expect(await agent().execute(wish(code))).toMatchObject({ status: 202, body: { status: 'pending' } });
  });

  it('back does not give a waiting request more time, and forward ends it at once', async () => {
    const clock = new TestClock();
    const house = await start({ ports: { clock } });
    const agent = house.agent();
    const late = await agent.execute(wish(code));
    clock.wall -= 10 * hourMs;
    clock.monotonic += 31 * minuteMs;
    house.broker.resumedFromSleep();
    expect((await agent.call('GET', `/requests/${idOf(late.body)}`)).body.status).toBe('expired');

    const early = await agent.execute(wish(code));
    const { revision } = house.card(idOf(early.body));
    clock.wall += 31 * minuteMs;
    // No timer has fired, the machine has just woken up: a press comes too late all the same.
    const press = { subject: 'run', id: idOf(early.body), revision, verdict: 'once', principal: 'desktop' } as const;
    expect(await house.broker.desk.decide(press)).toMatchObject({ ok: false });
    expect((await agent.call('GET', `/requests/${idOf(early.body)}`)).body.status).toBe('expired');
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  fakeKey,
  recordingChannel,
  startTestBroker,
  type TestBroker,
  type TestBrokerOptions,
} from '../support/broker.ts';
import { startHttpsUpstream, type UpstreamServer } from '../support/httpsUpstream.ts';

let api: UpstreamServer & Readonly<{ authorityPem: string }>;
let cleanups: (() => Promise<void>)[] = [];

beforeEach(async () => {
  api = await startHttpsUpstream(['api.openai.com']);
  cleanups = [() => api.close()];
});
afterEach(async () => {
  for (const clean of cleanups.reverse()) await clean();
});

async function start(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const house = await startTestBroker({
    rootsPem: api.authorityPem,
    ...options,
    env: { OAUTH3_EGRESS_HOSTS: `api.openai.com=127.0.0.1:${api.port}`, ...options.env },
  });
  cleanups.push(() => house.stop());
  return house;
}

const code = `const response = await fetch('https://api.openai.com/v1/chat/completions', {
  method: 'POST',
  headers: {
    'Authorization': \`Bearer \${Deno.env.get('OPENAI_API_KEY')}\`,
    'Content-Type': 'application/json'
  },
  body: JSON.stringify({model: 'gpt-4', messages: [{role: 'user', content: 'Hello!'}]})
});
console.log(await response.text());`;

const wish = (change: object = {}) => ({
  skill_id: 'openai-completion',
  skill_url: 'https://gist.github.com/user/abc123',
  secrets: ['OPENAI_API_KEY'],
  code,
  metadata: {
    description: 'Send a chat completion request to OpenAI',
    secrets: ['OPENAI_API_KEY'],
    network: ['api.openai.com'],
    timeout: 30,
  },
  ...change,
});

const idOf = (body: Readonly<Record<string, unknown>>): string => String(body.request_id);

describe('the main job', () => {
  it('runs what the owner saw, with the real key on the wire only, and trusts exactly that', async () => {
    const window = recordingChannel();
    const house = await start({ ports: { extraChannels: [window] } });
    const key = fakeKey();
    house.owner.addSecret('desktop', { name: 'OPENAI_API_KEY', value: key });
    const agent = house.agent('laptop');

    const asked = await agent.execute(wish());
    expect(asked).toMatchObject({
      status: 202,
      body: { status: 'pending', message: 'Approval request sent to the app window' },
    });
    const id = idOf(asked.body);
    expect(window.shown.at(-1)?.id).toBe(id);
    expect(api.received).toHaveLength(0);

    expect(await house.decide(id, '24h')).toMatchObject({ ok: true });
    const done = await agent.result(id);
    expect(done).toMatchObject({ status: 'success', decision: '24h', result: { exit_code: 0, timed_out: false } });
    expect(api.received).toHaveLength(1);
    expect(api.received[0]?.headers.authorization).toBe(`Bearer ${key}`);
    const text = JSON.stringify(done);
    expect(text).toContain('[redacted]');
    expect(text).not.toContain(key);
    expect(done).toMatchObject({
      result: {
        egress: [{ method: 'POST', host: 'api.openai.com', status: 200, secrets: ['OPENAI_API_KEY'] }],
      },
    });
    expect(window.closed).toEqual([id]);
    expect(house.owner.requestDetail(id)).toMatchObject({
      status: 'success',
      decided_by: 'desktop',
      code,
      result: { exit_code: 0, timed_out: false },
      egress: [{ host: 'api.openai.com', status: 200, secrets: ['OPENAI_API_KEY'], refused: null }],
    });

    const again = await agent.execute(wish());
    expect(again).toMatchObject({ status: 200, body: { status: 'success', trusted: true, exit_code: 0 } });
    expect(JSON.stringify(again.body)).not.toContain(key);
    expect(api.received).toHaveLength(2);

    const changed = await agent.execute(wish({ code: `${code} ` }));
    expect(changed).toMatchObject({ status: 202, body: { status: 'pending' } });
    expect(api.received).toHaveLength(2);

    const other = await house.agent('other').execute(wish());
    expect(other).toMatchObject({ status: 202, body: { status: 'pending' } });
    expect(await house.owner.verifyAudit()).toMatchObject({ ok: true });
    expect(house.owner.trust()).toMatchObject([{ level: '24h', status: 'live', agent: 'laptop', use_count: 1 }]);
  });

  it('a denial runs nothing and says why', async () => {
    const house = await start();
    house.owner.addSecret('desktop', { name: 'OPENAI_API_KEY', value: fakeKey() });
    const agent = house.agent();
    const { body } = await agent.execute(wish());
    const { revision } = house.card(idOf(body));
    await house.broker.desk.decide({
      subject: 'run',
      id: idOf(body),
      revision,
      verdict: 'deny',
      principal: 'desktop',
      reason: 'not today',
    });
    expect(await agent.result(idOf(body))).toMatchObject({ status: 'denied', deny_reason: 'not today' });
    expect(api.received).toHaveLength(0);
  });

  it('a missing secret is asked for on the card, which cannot be approved before', async () => {
    const house = await start();
    const agent = house.agent();
    const { body } = await agent.execute(wish());
    const id = idOf(body);
    expect(body).toMatchObject({ status: 'pending', missing_secrets: ['OPENAI_API_KEY'] });
    expect(await house.decide(id, 'once')).toMatchObject({ ok: false, reason: 'blocked' });
    house.owner.addSecret('desktop', { name: 'OPENAI_API_KEY', value: fakeKey() });
    expect(house.card(id).missingSecrets).toEqual([]);
    expect(await house.decide(id, 'once')).toMatchObject({ ok: true });
    expect(await agent.result(id)).toMatchObject({ status: 'success' });
    expect(api.received).toHaveLength(1);
  });

  it('a secret without a binding needs its own step; Run Once does not keep it', async () => {
    const house = await start();
    const key = fakeKey();
    house.owner.addSecret('desktop', { name: 'MY_KEY', value: key });
    const agent = house.agent();
    const ask = wish({
      secrets: ['MY_KEY'],
      code: code.replace('OPENAI_API_KEY', 'MY_KEY'),
      metadata: { network: ['api.openai.com'] },
    });
    const { body } = await agent.execute(ask);
    const id = idOf(body);
    expect(house.card(id).unboundSecrets).toEqual([{ name: 'MY_KEY', hosts: ['api.openai.com'] }]);
    expect(await house.decide(id, 'once')).toMatchObject({ ok: false, reason: 'blocked' });
    house.broker.confirmBinding(id, 'MY_KEY', ['api.openai.com'], 'desktop');
    expect(await house.decide(id, 'once')).toMatchObject({ ok: true });
    expect(await agent.result(id)).toMatchObject({ status: 'success' });
    expect(api.received[0]?.headers.authorization).toBe(`Bearer ${key}`);
    expect(house.owner.secrets()).toMatchObject([{ name: 'MY_KEY', hosts: [] }]);

    const second = await agent.execute(ask);
    const secondId = idOf(second.body);
    expect(second.body.status).toBe('pending');
    house.broker.confirmBinding(secondId, 'MY_KEY', ['api.openai.com'], 'desktop');
    expect(await house.decide(secondId, 'forever')).toMatchObject({ ok: true });
    expect(await agent.result(secondId)).toMatchObject({ status: 'success' });
    expect(house.owner.secrets()).toMatchObject([{ name: 'MY_KEY', hosts: ['api.openai.com'] }]);
    expect(await agent.execute(ask)).toMatchObject({ status: 200, body: { status: 'success', trusted: true } });
  });

  it('a placeholder in a wrong place stops the run, suspends its trust and tells the owner', async () => {
    const house = await start();
    house.owner.addSecret('desktop', { name: 'OPENAI_API_KEY', value: fakeKey() });
    const agent = house.agent();
    const ask = wish({
      code: `await fetch('https://api.openai.com/v1/x?k=' + Deno.env.get('OPENAI_API_KEY'));
        await new Promise((resolve) => setTimeout(resolve, 20_000));`,
    });
    const { body } = await agent.execute(ask);
    await house.decide(idOf(body), 'forever');
    expect(await agent.result(idOf(body))).toMatchObject({ status: 'failed', error: { code: 'secret_misplaced' } });
    expect(api.received).toHaveLength(0);
    expect(house.owner.trust()).toMatchObject([{ status: 'suspended' }]);
    const again = await agent.execute(ask);
    expect(again).toMatchObject({ status: 202, body: { status: 'pending' } });
    const card = house.card(idOf(again.body));
    expect(card.seenBefore).toBe(false);
    expect(card.facts.find(({ key }) => key === 'changed')?.tone).toBe('danger');
  });

  it('code that never ends is ended by its timeout, and a paused broker takes nothing new', async () => {
    const house = await start();
    const agent = house.agent();
    const { body } = await agent.execute({ skill_id: 'loop', code: 'while (true) {}', metadata: { timeout: 1 } });
    await house.decide(idOf(body), 'once');
    expect(await agent.result(idOf(body))).toMatchObject({
      status: 'failed',
      result: { timed_out: true, exit_code: null },
    });
    house.owner.pause('desktop');
    expect(await agent.execute(wish())).toMatchObject({ status: 503, body: { error: { code: 'paused' } } });
    house.owner.resume('desktop');
    house.owner.lock('desktop');
    expect(await agent.execute(wish())).toMatchObject({ status: 503, body: { error: { code: 'vault_locked' } } });
  });

  it('another runtime is never put in place of the one that was asked for', async () => {
    const house = await start();
    const agent = house.agent();
    expect(await agent.execute(wish({ metadata: { runtime: 'deno' }, secrets: [] }))).toMatchObject({
      status: 503,
      body: { error: { code: 'sandbox_unavailable' } },
    });
  });
});

import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import type { ExecuteBody } from '../../contract/bridge.ts';
import {
  type AgentHouse,
  call,
  emptyResult,
  field,
  type HouseOptions,
  refusalOf,
  startAgentHouse,
} from '../support/agentHouse.ts';

const houses: AgentHouse[] = [];
afterEach(async () => {
  for (const house of houses.splice(0)) await house.end();
});

async function start(options: HouseOptions = {}): Promise<AgentHouse> {
  const house = await startAgentHouse(options);
  houses.push(house);
  return house;
}

const minuteMs = 60_000;

function body(change: Partial<ExecuteBody> = {}): ExecuteBody {
  return {
    skill_id: 'openai-completion',
    code: "const key = Deno.env.get('OPENAI_API_KEY');\nconsole.log('hello');",
    secrets: ['OPENAI_API_KEY'],
    metadata: { description: 'Send a chat completion request', network: ['api.openai.com'], timeout: 30 },
    ...change,
  };
}

async function withPending(options: HouseOptions = {}, change: Partial<ExecuteBody> = {}) {
  const house = await start(options);
  const { token, agent } = house.addAgent('home-agent');
  house.addSecret('OPENAI_API_KEY', ['api.openai.com']);
  const answer = await house.call('POST', '/execute', { token, body: body(change) });
  return { house, token, agent, answer, id: field(answer, 'request_id') };
}

describe('a new request', () => {
  it('waits, and its answer says where the owner was asked and until when', async () => {
    const { house, answer, id } = await withPending();
    expect(answer.status).toBe(202);
    expect(answer.json).toEqual({
      status: 'pending',
      request_id: expect.stringMatching(/^req_[0-9A-Za-z]{22}$/),
      message: 'Approval request sent to Telegram',
      expires_at: new Date(house.clock.wall + 30 * minuteMs).toISOString(),
    });
    expect(house.desk.card('run', id)?.verdicts).toEqual(['once', '24h', 'forever', 'deny']);
    expect(house.runs.enqueued).toEqual([]);
  });

  it('names every channel that was reached, and the window when there was none', async () => {
    const both = await withPending({ channels: ['window', 'telegram'] });
    expect(field(both.answer, 'message')).toBe('Approval request sent to Telegram and the app window');
    const none = await withPending({ channels: [] });
    expect(field(none.answer, 'message')).toBe('Waiting in the app window');
  });

  it('shows a card in prose with the stable id of the agent, and the words of the agent as a quote only', async () => {
    const { house, agent, id } = await withPending();
    const card = house.desk.card('run', id);
    const plainText = (segments: readonly { text: string }[] = []) => segments.map(({ text }) => text).join('');
    expect(plainText(card?.sentence)).toBe(
      'home-agent wants to run openai-completion once with OPENAI_API_KEY towards api.openai.com.',
    );
    const facts = new Map(card?.facts.map((fact) => [fact.key, plainText(fact.value)]));
    expect(facts.get('agent')).toContain(agent.id);
    expect(facts.get('secret:OPENAI_API_KEY')).toBe('goes to api.openai.com in the authorization header');
    expect([...facts.values()].join(' ')).not.toContain('chat completion');
    expect(plainText(card?.quotes[0]?.text)).toBe('Send a chat completion request');
  });

  it('is the same request while an identical one waits, and another when one byte differs', async () => {
    const { house, token, id } = await withPending();
    const again = await house.call('POST', '/execute', { token, body: body() });
    expect([again.status, field(again, 'request_id')]).toEqual([202, id]);
    const other = await house.call('POST', '/execute', { token, body: body({ code: 'console.log(2)' }) });
    expect(field(other, 'request_id')).not.toBe(id);
  });

  it('is told that a secret is missing and can be approved only after it was added', async () => {
    const house = await start();
    const { token } = house.addAgent('home-agent');
    const answer = await house.call('POST', '/execute', { token, body: body() });
    const id = field(answer, 'request_id');
    expect(answer.json).toMatchObject({ status: 'pending', missing_secrets: ['OPENAI_API_KEY'] });
    expect(house.desk.card('run', id)?.verdicts).toEqual(['deny']);
    expect(await house.press(id, 'once')).toMatchObject({ ok: false, reason: 'blocked' });

    house.addSecret('OPENAI_API_KEY', ['api.openai.com']);
    house.refresh.refreshForSecret('OPENAI_API_KEY');
    expect(await house.press(id, 'once')).toMatchObject({ ok: true });
    expect(house.runs.enqueued).toEqual([id]);
  });

  it('takes code from skill_url when there is none in the body', async () => {
    const house = await start();
    const { token } = house.addAgent('home-agent');
    const url = 'https://gist.example.com/skill.ts';
    house.world.sources.set(url, '// @network api.openai.com\nconsole.log(1)');
    const answer = await house.call('POST', '/execute', { token, body: { skill_id: 'x', skill_url: url } });
    const request = house.store.request(field(answer, 'request_id'));
    expect(house.store.manifest(request?.manifestDigest ?? '')?.network).toEqual([
      { host: 'api.openai.com', port: 443 },
    ]);
    expect(await house.press(request?.id ?? '', 'once')).toMatchObject({ ok: true });
    const gone = { skill_id: 'x', skill_url: 'https://nowhere.example.com/' };
    expect(refusalOf(await house.call('POST', '/execute', { token, body: gone }))).toBe('422 source_unavailable');
  });

  it('leaves one audit event for each fetch, and its card says what was fetched and what is only named', async () => {
    const house = await start();
    const { token, agent } = house.addAgent('home-agent');
    const url = 'https://gist.example.com/skill.ts?key=hidden';
    house.world.sources.set(url, 'console.log(1)');
    const source = async (change: Partial<ExecuteBody>) => {
      const answer = await house.call('POST', '/execute', { token, body: { skill_id: 'x', ...change } });
      const fact = house.desk.card('run', field(answer, 'request_id'))?.facts.find(({ key }) => key === 'source');
      return `${fact?.label}: ${fact?.value.map(({ text }) => text).join('')}`;
    };
    expect(await source({ skill_url: url })).toBe(`Code fetched from: ${url}`);
    expect(await source({ skill_url: url, code: 'console.log(1)' })).toBe(`Source named by the agent: ${url}`);
    house.world.redirects.set(url, 'https://raw.example.org/x');
    expect(await source({ skill_url: url })).toBe(`Code fetched from: raw.example.org, where ${url} led`);
    await house.call('POST', '/execute', {
      token,
      body: { skill_id: 'x', skill_url: 'https://nowhere.example.com/a' },
    });

    const events = house.store.audit({ limit: 99 }).filter(({ kind }) => kind === 'source.fetched');
    const about = { agent: 'home-agent', host: 'gist.example.com' };
    expect(events.map(({ actor }) => actor)).toEqual(Array(3).fill(`agent:${agent.id}`));
    expect(events.map(({ payload }) => payload)).toEqual([
      { agent: 'home-agent', host: 'nowhere.example.com', outcome: 'dns_failed' },
      { ...about, outcome: 'ok', bytes: 14, sent_by: 'raw.example.org' },
      { ...about, outcome: 'ok', bytes: 14 },
    ]);
  });
});

describe('a WebSocket (ATTACKS B49)', () => {
  it('is refused at once to a host that a named secret is bound to, and nothing is stored', async () => {
    const { answer, house } = await withPending({}, { metadata: { network: ['wss://api.openai.com:8443'] } });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({
      error: {
        code: 'invalid_request',
        message: 'metadata.network: wss://api.openai.com:8443 is a host that OPENAI_API_KEY is bound to',
        hint: expect.stringContaining('without wss://'),
      },
    });
    expect(house.store.pendingRequests()).toEqual([]);
  });

  it('to another host is on the card and in what is approved', async () => {
    const network = ['api.openai.com', 'wss://live.example.org'];
    const { answer, house } = await withPending({}, { metadata: { network } });
    expect(answer.status).toBe(202);
    const [request] = house.store.pendingRequests();
    expect(house.store.manifest(request?.manifestDigest ?? '')?.network).toEqual([
      { host: 'api.openai.com', port: 443 },
      { host: 'live.example.org', port: 443, ws: true },
    ]);
  });
});

describe('an idempotency key', () => {
  it('brings back the same request in every state, and conflicts with another body', async () => {
    const { house, token, id } = await withPending({}, { idempotency_key: 'k1' });
    const same = body({ idempotency_key: 'k1' });
    await house.press(id, 'once');
    const running = await house.call('POST', '/execute', { token, body: same });
    expect(running.json).toMatchObject({ status: 'running', request_id: id });
    house.runs.finish(id, { ...emptyResult, stdout: 'done' });
    const finished = await house.call('POST', '/execute', { token, body: same });
    expect([finished.status, finished.json]).toEqual([
      200,
      expect.objectContaining({ status: 'success', request_id: id, stdout: 'done', trusted: false }),
    ]);
    const conflict = await house.call('POST', '/execute', {
      token,
      body: body({ idempotency_key: 'k1', code: 'other()' }),
    });
    expect(refusalOf(conflict)).toBe('409 idempotency_conflict');
  });

  it('leads to the identical request that waited already, every time', async () => {
    const { house, token, id } = await withPending();
    for (let time = 0; time < 2; time += 1) {
      const answer = await house.call('POST', '/execute', { token, body: body({ idempotency_key: 'k1' }) });
      expect([answer.status, field(answer, 'request_id')]).toEqual([202, id]);
    }
  });

  it('belongs to one agent', async () => {
    const { house, id } = await withPending({}, { idempotency_key: 'k1' });
    const other = house.addAgent('other');
    const answer = await house.call('POST', '/execute', { token: other.token, body: body({ idempotency_key: 'k1' }) });
    expect(answer.status).toBe(202);
    expect(field(answer, 'request_id')).not.toBe(id);
  });
});

describe('trust', () => {
  async function trusted(level: '24h' | 'forever', change: Partial<ExecuteBody> = {}, any = false) {
    const pending = await withPending({}, change);
    await pending.house.press(pending.id, level, any ? { argsPolicy: 'any' } : {});
    pending.house.runs.finish(pending.id, emptyResult);
    pending.house.runs.answer = { ...emptyResult, stdout: 'out', stderr: 'err', durationMs: 7 };
    return pending;
  }

  it('L195 is never for any arguments of code that may run them as code', async () => {
    const code = 'eval(JSON.parse(process.env.SKILL_ARGS).c);';
    const { house, id } = await withPending({}, { code, args: { c: '1' } });
    const any = await house.press(id, 'forever', { argsPolicy: 'any' });
    expect(any).toMatchObject({ ok: false, reason: 'blocked' });
    expect(await house.press(id, 'forever', { argsPolicy: 'exact' })).toMatchObject({ ok: true });
  });

  it('answers the next identical request with the result, at once', async () => {
    const { house, token } = await trusted('24h');
    const answer = await house.call('POST', '/execute', { token, body: body() });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      status: 'success',
      request_id: expect.any(String),
      stdout: 'out',
      stderr: 'err',
      duration: 7,
      exit_code: 0,
      trusted: true,
    });
    expect(house.store.trustEntries()[0]?.useCount).toBe(1);
  });

  it('answers 202 running when the caller does not want to wait', async () => {
    const { house, token } = await trusted('forever');
    house.runs.answer = null;
    const answer = await house.call('POST', '/execute', { token, body: body({ async: true }) });
    expect([answer.status, field(answer, 'status')]).toEqual([202, 'running']);
    expect(house.waits.isAwaited(field(answer, 'request_id'))).toBe(false);
  });

  it('knows that a synchronous answer awaits the result, so that nobody is woken for it', async () => {
    const { house, token } = await trusted('forever');
    house.runs.answer = null;
    const waiting = house.call('POST', '/execute', { token, body: body() });
    await expect.poll(() => house.runs.enqueued.length).toBe(2);
    const id = house.runs.enqueued[1] ?? '';
    expect(house.waits.isAwaited(id)).toBe(true);
    house.runs.finish(id, emptyResult);
    expect((await waiting).json).toMatchObject({ status: 'success', trusted: true });
  });

  it('is not used while the vault is locked, everything is paused, or the sandbox is gone', async () => {
    const { house, token } = await trusted('forever');
    house.world.vault = 'locked';
    expect(refusalOf(await house.call('POST', '/execute', { token, body: body() }))).toBe('503 vault_locked');
    house.world.vault = 'unlocked';
    house.world.paused = true;
    expect(refusalOf(await house.call('POST', '/execute', { token, body: body() }))).toBe('503 paused');
    house.world.paused = false;
    house.world.sandbox = { ready: false, reason: 'the child does not start' };
    expect(refusalOf(await house.call('POST', '/execute', { token, body: body() }))).toBe('503 sandbox_unavailable');
    expect(house.runs.enqueued).toHaveLength(1);
  });

  it('does not reach to another agent, other code, host, secret, runtime, limit or argument', async () => {
    const { house, token } = await trusted('forever', { args: { n: 1 } });
    house.addSecret('OTHER_KEY', ['api.openai.com']);
    const other = house.addAgent('other');
    const asks = async (change: Partial<ExecuteBody>, as = token) => {
      const answer = await house.call('POST', '/execute', { token: as, body: body({ args: { n: 1 }, ...change }) });
      return answer.status;
    };
    expect(await asks({})).toBe(200);
    expect(await asks({}, other.token)).toBe(202);
    expect(await asks({ code: `${body().code} ` })).toBe(202);
    expect(await asks({ skill_id: 'openai-completion2' })).toBe(202);
    expect(await asks({ secrets: ['OTHER_KEY'] })).toBe(202);
    expect(await asks({ secrets: [] })).toBe(202);
    expect(await asks({ args: { n: 2 } })).toBe(202);
    expect(await asks({ metadata: { network: ['api.openai.com', 'api.example.com'] } })).toBe(202);
    expect(await asks({ metadata: { network: ['api.openai.com'], timeout: 31 } })).toBe(202);
    expect(await asks({ metadata: { network: ['api.openai.com'], memory_mb: 128 } })).toBe(202);
  });

  it('covers any arguments when the owner widened it, and nothing else', async () => {
    const { house, token } = await trusted('forever', { args: { n: 1 } }, true);
    const other = await house.call('POST', '/execute', { token, body: body({ args: { n: 2 } }) });
    expect([other.status, field(other, 'trusted')]).toEqual([200, 'true']);
    const changed = await house.call('POST', '/execute', { token, body: body({ args: { n: 2 }, code: 'x' }) });
    expect(changed.status).toBe(202);
  });

  it('ends after 24 hours, and is suspended while the clock is behind what was seen', async () => {
    const { house, token } = await trusted('24h');
    house.clock.pass(60 * minuteMs);
    expect((await house.call('POST', '/execute', { token, body: body() })).status).toBe(200);
    house.clock.wall -= 30 * minuteMs;
    const behind = await house.call('POST', '/execute', { token, body: body() });
    expect(behind.status).toBe(202);
    house.clock.wall += 30 * minuteMs + 23 * 60 * minuteMs;
    expect((await house.call('POST', '/execute', { token, body: body({ idempotency_key: 'z' }) })).status).toBe(202);
  });

  it('is lost when the binding of its secret changes', async () => {
    const { house, token } = await trusted('forever');
    const secret = house.store.secretByName('OPENAI_API_KEY');
    const places = { headers: ['x-key'], query: [], path: false, json: [], form: [] };
    house.store.setBinding(secret?.id ?? '', { hosts: ['api.openai.com'], places, source: 'owner' }, 'desktop', 1);
    expect((await house.call('POST', '/execute', { token, body: body() })).status).toBe(202);
  });
});

describe('a secret that is bound nowhere', () => {
  async function unbound() {
    const house = await start();
    const { token } = house.addAgent('home-agent');
    house.addSecret('OPENAI_API_KEY');
    const answer = await house.call('POST', '/execute', { token, body: body() });
    return { house, token, id: field(answer, 'request_id') };
  }

  it('blocks the card until the owner confirms where it may go', async () => {
    const { house, id } = await unbound();
    const before = house.desk.card('run', id);
    expect(before?.unboundSecrets).toEqual([{ name: 'OPENAI_API_KEY', hosts: ['api.openai.com'] }]);
    expect(before?.verdicts).toEqual(['deny']);
    for (const hosts of [['evil.example.com'], [], ['api.openai.com', 'evil.example.com']]) {
      expect(() => house.refresh.confirmBinding(id, 'OPENAI_API_KEY', hosts, 'desktop')).toThrow(/card/);
    }
    house.refresh.confirmBinding(id, 'OPENAI_API_KEY', ['api.openai.com'], 'desktop');
    const after = house.desk.card('run', id);
    expect(after?.revision).not.toBe(before?.revision);
    expect(after?.verdicts).toContain('once');
    expect(house.auditKinds()).toContain('binding.confirmed');
  });

  it('can never be confirmed for a host that shows what it is sent to anybody', async () => {
    const { house, token } = await unbound();
    const metadata = { network: ['httpbin.org'] };
    const id = field(await house.call('POST', '/execute', { token, body: body({ metadata }) }), 'request_id');
    expect(() => house.refresh.confirmBinding(id, 'OPENAI_API_KEY', ['httpbin.org'], 'desktop')).toThrow(/card/);
  });

  it('goes back to being bound nowhere after Run Once', async () => {
    const { house, token, id } = await unbound();
    house.refresh.confirmBinding(id, 'OPENAI_API_KEY', ['api.openai.com'], 'desktop');
    expect(await house.press(id, 'once')).toMatchObject({ ok: true });
    expect(house.store.secretByName('OPENAI_API_KEY')?.binding.hosts).toEqual([]);
    const next = await house.call('POST', '/execute', { token, body: body() });
    expect(house.desk.card('run', field(next, 'request_id'))?.unboundSecrets).toHaveLength(1);
  });

  it('keeps the binding with 24h and forever, and the next identical request is trusted', async () => {
    const { house, token, id } = await unbound();
    house.refresh.confirmBinding(id, 'OPENAI_API_KEY', ['api.openai.com'], 'desktop');
    expect(await house.press(id, '24h')).toMatchObject({ ok: true });
    expect(house.store.secretByName('OPENAI_API_KEY')?.binding.hosts).toEqual(['api.openai.com']);
    house.runs.answer = emptyResult;
    expect((await house.call('POST', '/execute', { token, body: body() })).status).toBe(200);
  });
});

describe('a decision that comes past the desk', () => {
  const decide = (house: AgentHouse, id: string, revision: string, verdict: 'once' | 'approve' = 'once') =>
    house.subject.decide({ subject: 'run', id, revision, verdict, principal: 'desktop' });

  async function pendingWithRevision() {
    const pending = await withPending();
    return { ...pending, revision: pending.house.desk.card('run', pending.id)?.revision ?? '' };
  }

  it('is refused for what was not shown', async () => {
    const { house, id } = await pendingWithRevision();
    expect(decide(house, id, 'f'.repeat(64))).toMatchObject({ ok: false, reason: 'stale' });
    expect(decide(house, 'req_none', 'x')).toMatchObject({ ok: false, reason: 'unknown' });
  });

  it('is refused while agent, owner, vault or sandbox say no, and counts once they do not', async () => {
    const { house, agent, id, revision } = await pendingWithRevision();
    const blocked = (text: RegExp) =>
      expect(decide(house, id, revision)).toEqual({ ok: false, reason: 'blocked', text: expect.stringMatching(text) });
    house.store.setAgentPaused(agent.id, true, 'desktop', house.clock.wall);
    blocked(/agent is paused/);
    house.store.setAgentPaused(agent.id, false, 'desktop', house.clock.wall);
    house.world.paused = true;
    blocked(/Everything is paused/);
    house.world.paused = false;
    house.world.vault = 'locked';
    blocked(/vault is locked/);
    house.world.vault = 'unlocked';
    const { sandbox } = house.world;
    house.world.sandbox = { ready: false, reason: 'the child does not start' };
    blocked(/does not start/);
    house.world.sandbox = sandbox;
    expect(decide(house, id, revision, 'approve')).toMatchObject({ ok: false, reason: 'blocked' });
    expect(decide(house, id, revision)).toMatchObject({ ok: true });
    expect(decide(house, id, revision)).toMatchObject({ ok: false, reason: 'ended' });
    expect(house.runs.enqueued).toEqual([id]);
  });

  it('L187 is refused as stale when a binding, a value or the sandbox changed since', async () => {
    const { house, id, revision } = await pendingWithRevision();
    const secret = house.store.secretByName('OPENAI_API_KEY');
    house.store.replaceSecretValue(secret?.id ?? '', new Uint8Array(16), 'desktop', house.clock.wall);
    expect(decide(house, id, revision)).toMatchObject({ ok: false, reason: 'stale' });
    const next = house.desk.card('run', id)?.revision ?? '';
    expect(next).not.toBe(revision);
    const carrier = { image: '', runner: 'quickjs-newer', seccomp: '' };
    house.world.sandbox = { ready: true, waitsFor: null, facts: { isolation: 'embedded', carrier } };
    expect(decide(house, id, next)).toMatchObject({ ok: false, reason: 'stale' });
    expect(await house.press(id, 'once')).toMatchObject({ ok: true });
  });

  it('is refused when a secret was taken away or none of its hosts confirmed', async () => {
    const { house, token } = await pendingWithRevision();
    house.addSecret('FREE_KEY');
    const asked = await house.call('POST', '/execute', { token, body: body({ secrets: ['FREE_KEY', 'NO_KEY'] }) });
    const id = field(asked, 'request_id');
    const revision = house.desk.card('run', id)?.revision ?? '';
    expect(decide(house, id, revision)).toMatchObject({ reason: 'blocked', text: 'First add the secret NO_KEY.' });
    house.addSecret('NO_KEY', ['api.openai.com']);
    house.refresh.refreshForSecret('NO_KEY');
    const next = house.desk.card('run', id)?.revision ?? '';
    expect(decide(house, id, next)).toMatchObject({ reason: 'blocked', text: 'First confirm where FREE_KEY may go.' });
  });

  it('L190 is refused when the stored bytes are not the ones that were asked for', async () => {
    const { house, id, revision } = await pendingWithRevision();
    const other = new Database(join(house.dataDir, 'proxy.db'));
    other.prepare('UPDATE code_blobs SET bytes = ?').run(Buffer.from("console.log('something else')"));
    other.close();
    expect(decide(house, id, revision)).toMatchObject({ ok: false, reason: 'blocked' });
    expect(house.runs.enqueued).toEqual([]);
  });

  it('is refused after its time by elapsed time, although the wall clock went back and no timer fired', async () => {
    const { house, id, revision } = await pendingWithRevision();
    house.clock.monotonic += 31 * minuteMs;
    expect(decide(house, id, revision)).toMatchObject({ ok: false, reason: 'ended', outcome: { kind: 'expired' } });
  });
});

describe('waiting for a result', () => {
  it('holds the answer until the end and marks the result as fetched', async () => {
    const { house, token, id } = await withPending();
    const polling = house.call('GET', `/requests/${id}?wait=60`, { token });
    await house.press(id, 'once');
    house.runs.finish(id, { ...emptyResult, stdout: 'the result', redactions: 2 });
    const answer = await polling;
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      request_id: id,
      skill_id: 'openai-completion',
      status: 'success',
      decision: 'once',
      result: { stdout: 'the result', exit_code: 0, timed_out: false, truncated: false, redactions: 2, egress: [] },
    });
    expect(house.store.request(id)?.resultFetchedAt).toBe(house.clock.wall);
  });

  it('answers at once without wait, on both addresses', async () => {
    const { house, token, id } = await withPending();
    for (const path of [`/requests/${id}`, `/execute/${id}/status`]) {
      expect((await house.call('GET', path, { token })).json).toMatchObject({ status: 'pending', request_id: id });
    }
  });

  it('refuses a wait that is no number, and unknown questions', async () => {
    const { house, token, id } = await withPending();
    expect(refusalOf(await house.call('GET', `/requests/${id}?wait=long`, { token }))).toBe('400 invalid_request');
    expect(refusalOf(await house.call('GET', `/requests/${id}?foo=1`, { token }))).toBe('400 invalid_request');
  });

  it('is not counted as fetched when the caller hung up', async () => {
    const { house, token, agent, id } = await withPending();
    const hangUp = new AbortController();
    const polling = house.call('GET', `/requests/${id}?wait=60`, { token, signal: hangUp.signal });
    await expect.poll(() => house.waits.polls(id)).toBe(1);
    hangUp.abort();
    await expect(polling).rejects.toThrow();
    await expect.poll(() => house.waits.polls(id)).toBe(0);
    await house.press(id, 'deny');
    await house.status.view(agent, id, 0, AbortSignal.abort());
    expect(house.store.request(id)?.resultFetchedAt).toBeNull();
  });

  it('ends at shutdown with what is known', async () => {
    const { house, token, id } = await withPending();
    const polling = house.call('GET', `/requests/${id}?wait=60`, { token });
    await expect.poll(() => house.waits.polls(id)).toBe(1);
    const [answer] = await Promise.all([polling, house.bridge.close()]);
    expect(answer.json).toMatchObject({ status: 'pending' });
    expect(answer.headers.connection).toBe('close');
  });

  it('shows why it was denied', async () => {
    const { house, token, id } = await withPending();
    await house.press(id, 'deny', { reason: 'not today' });
    expect((await house.call('GET', `/requests/${id}`, { token })).json).toMatchObject({
      status: 'denied',
      decision: 'deny',
      deny_reason: 'not today',
    });
    expect(house.store.dueWakes(house.clock.wall, 10)).toEqual([
      expect.objectContaining({ requestId: id, text: expect.stringContaining('denied') }),
    ]);
  });
});

describe('another agent', () => {
  it('finds no request that is not its own, neither to look at nor to cancel', async () => {
    const { house, id } = await withPending();
    const { token } = house.addAgent('other');
    for (const [method, path] of [
      ['GET', `/requests/${id}`],
      ['GET', `/execute/${id}/status`],
      ['DELETE', `/requests/${id}`],
      ['GET', '/requests/req_0000000000000000000000'],
    ] as const) {
      expect(refusalOf(await house.call(method, path, { token }))).toBe('404 not_found');
    }
    expect(house.store.request(id)?.status).toBe('pending');
  });
});

describe('cancelling', () => {
  it('ends a waiting request and its cards, once', async () => {
    const { house, token, id } = await withPending();
    const answer = await house.call('DELETE', `/requests/${id}`, { token });
    expect([answer.status, answer.json]).toEqual([200, { status: 'cancelled' }]);
    await expect.poll(() => house.channels[0]?.closed.map((outcome) => outcome.kind)).toEqual(['cancelled']);
    expect(refusalOf(await house.call('DELETE', `/requests/${id}`, { token }))).toBe('409 already_decided');
    expect(await house.press(id, 'once')).toMatchObject({ ok: false, reason: 'ended' });
  });
});

describe('limits', () => {
  it('refuses more waiting requests than the setting allows, and says when to come back', async () => {
    const { house, token } = await withPending();
    house.world.settings['limits.pending_per_agent'] = 2;
    await house.call('POST', '/execute', { token, body: body({ code: '1' }) });
    const third = await house.call('POST', '/execute', { token, body: body({ code: '2' }) });
    expect(refusalOf(third)).toBe('429 rate_limited');
    expect(third.headers['retry-after']).toBe('60');
  });

  it('refuses more requests a minute than the setting allows, for each agent by itself', async () => {
    const house = await start();
    house.world.settings['limits.requests_per_minute'] = 2;
    const [one, two] = [house.addAgent('one'), house.addAgent('two')];
    const ask = (token: string) => house.call('POST', '/execute', { token, body: body() });
    expect([(await ask(one.token)).status, (await ask(one.token)).status]).toEqual([202, 202]);
    const refused = await ask(one.token);
    expect([refusalOf(refused), refused.headers['retry-after']]).toEqual(['429 rate_limited', '30']);
    expect((await ask(two.token)).status).toBe(202);
    house.clock.pass(30_000);
    expect((await ask(one.token)).status).toBe(202);
  });
});

describe('expiry', () => {
  it('ends a request when its time is over, by the wall clock or by elapsed time, and wakes its agent', async () => {
    const { house, token, id } = await withPending();
    house.clock.pass(30 * minuteMs - 1);
    house.expiry.sweep();
    expect(house.store.request(id)?.status).toBe('pending');
    house.clock.wall -= 5 * 60 * minuteMs;
    house.clock.monotonic += 1;
    house.expiry.sweep();
    expect((await house.call('GET', `/requests/${id}`, { token })).json).toMatchObject({ status: 'expired' });
    await expect.poll(() => house.channels[0]?.closed.map((outcome) => outcome.kind)).toEqual(['expired']);
    expect(house.store.dueWakes(house.clock.wall + 10 * 60 * minuteMs, 9)).toHaveLength(1);
  });

  it('refuses an approval that comes too late even if no timer has fired', async () => {
    const { house, id } = await withPending();
    const card = house.desk.card('run', id);
    house.clock.pass(31 * minuteMs);
    const result = house.subject.decide({
      subject: 'run',
      id,
      revision: card?.revision ?? '',
      verdict: 'once',
      principal: 'desktop',
    });
    expect(result).toMatchObject({ ok: false, reason: 'ended', outcome: { kind: 'expired' } });
    expect(house.runs.enqueued).toEqual([]);
  });

  it('counts anew when the owner gives more time', async () => {
    const { house, id } = await withPending();
    house.store.extendRequest(id, house.clock.wall + 60 * minuteMs, 'desktop', house.clock.wall);
    const extended = house.store.request(id);
    if (extended !== null) house.events.emitChanged(extended);
    house.clock.pass(45 * minuteMs);
    house.expiry.sweep();
    expect(house.store.request(id)?.status).toBe('pending');
  });
});

describe('a restart', () => {
  it('keeps what waits: the stored request can still be approved, and its time goes on', async () => {
    const { house, id } = await withPending();
    const revision = house.desk.card('run', id)?.revision;
    await house.stop();
    const next = await startAgentHouse({ dataDir: house.dataDir, clock: house.clock });
    houses.splice(houses.indexOf(house), 1, next);
    expect(next.desk.waiting().map((card) => [card.id, card.revision])).toEqual([[id, revision]]);
    expect(await next.press(id, 'once')).toMatchObject({ ok: true });
    expect(next.runs.enqueued).toEqual([id]);
  });
});

describe('pairing', () => {
  const decide = (house: AgentHouse, id: string, verdict: 'approve' | 'deny') =>
    house.desk.decide({ subject: 'pairing', id, revision: id, verdict, principal: 'desktop' });

  it('gives a token once, after the owner compared the code', async () => {
    const house = await start();
    const asked = await house.call('POST', '/pair', { body: { name: 'laptop' } });
    expect(asked.status).toBe(202);
    const [id, code] = [field(asked, 'pairing_id'), field(asked, 'code')];
    const card = house.desk.card('pairing', id);
    expect(card?.facts.find((fact) => fact.key === 'code')?.value[0]?.text).toContain(code);
    expect((await house.call('GET', `/pair/${id}`)).json).toEqual({ pairing_id: id, status: 'pending' });

    const waiting = house.call('GET', `/pair/${id}?wait=60`);
    expect(await decide(house, id, 'approve')).toMatchObject({ ok: true });
    const given = await waiting;
    expect(given.json).toMatchObject({ status: 'approved', token: expect.stringMatching(/^oa3_[0-9A-Za-z_-]{43}$/) });
    expect((await house.call('GET', `/pair/${id}`)).json).toEqual({ pairing_id: id, status: 'collected' });
    const used = await house.call('POST', '/execute', { token: field(given, 'token'), body: body() });
    expect(used.status).toBe(202);
  });

  it('gives the token also when the app was restarted in between', async () => {
    const house = await start();
    const id = field(await house.call('POST', '/pair', { body: { name: 'laptop' } }), 'pairing_id');
    await decide(house, id, 'approve');
    await house.stop();
    const next = await startAgentHouse({ dataDir: house.dataDir, clock: house.clock });
    houses.splice(houses.indexOf(house), 1, next);
    expect(field(await next.call('GET', `/pair/${id}`), 'token')).toMatch(/^oa3_/);
  });

  it('ends without an answer after ten minutes, and an agent whose token nobody fetched is revoked', async () => {
    const house = await start();
    const late = field(await house.call('POST', '/pair', { body: { name: 'late' } }), 'pairing_id');
    const unfetched = field(await house.call('POST', '/pair', { body: { name: 'unfetched' } }), 'pairing_id');
    await decide(house, unfetched, 'approve');
    house.clock.pass(21 * minuteMs);
    house.expiry.sweep();
    expect(field(await house.call('GET', `/pair/${late}`), 'status')).toBe('expired');
    expect(field(await house.call('GET', `/pair/${unfetched}`), 'status')).toBe('expired');
    expect(house.store.agentByName('unfetched')).toBeNull();
  });

  it('is refused when closed, too often, for reserved names, and for a name that is taken', async () => {
    const house = await start();
    house.addAgent('taken');
    expect(refusalOf(await house.call('POST', '/pair', { body: { name: 'System' } }))).toBe('400 invalid_request');
    const taken = field(await house.call('POST', '/pair', { body: { name: 'taken' } }), 'pairing_id');
    expect(house.desk.card('pairing', taken)?.verdicts).toEqual(['deny']);
    expect(await decide(house, taken, 'approve')).toMatchObject({ ok: false, reason: 'blocked' });
    await house.call('POST', '/pair', { body: { name: 'b' } });
    await house.call('POST', '/pair', { body: { name: 'c' } });
    const fourth = await house.call('POST', '/pair', { body: { name: 'd' } });
    expect([refusalOf(fourth), fourth.headers['retry-after']]).toEqual(['429 rate_limited', '1200']);
    expect(
      house.pairing.decide({ subject: 'pairing', id: taken, revision: taken, verdict: 'approve', principal: 'cli' }),
    ).toMatchObject({ ok: false, reason: 'blocked' });
    house.clock.pass(60 * minuteMs);
    await expect(house.pairing.ask('far-away', false)).rejects.toMatchObject({ code: 'pairing_closed' });
    house.world.settings['pairing.open'] = false;
    expect(refusalOf(await house.call('POST', '/pair', { body: { name: 'e' } }))).toBe('403 pairing_closed');
  });
});

describe('health', () => {
  it('answers everybody briefly and agents in detail', async () => {
    const house = await start();
    const { token } = house.addAgent('home-agent');
    const brief = await call(house.port, 'GET', '/health');
    expect([brief.status, brief.json]).toEqual([200, { status: 'ok', telegram: 'not_configured', database: 'ok' }]);
    expect((await house.call('GET', '/health', { token })).json).toMatchObject({ vault: 'unlocked', version: '0.0.0' });
    expect((await house.call('GET', '/health', { token: 'wrong' })).json).toEqual(brief.json);
  });
});

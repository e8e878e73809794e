import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { embeddedCarrier } from '../../main/backends/embedded/backend.ts';
import {
  agentAt,
  recordingChannel,
  startTestBroker,
  type TestBroker,
  type TestBrokerOptions,
} from '../support/broker.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function start(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const house = await startTestBroker(options);
  cleanups.push(() => house.stop());
  return house;
}

type Hook = Readonly<{ url: string; received: { authorization: string; body: string }[]; next: () => Promise<void> }>;

async function startHook(): Promise<Hook> {
  const received: Hook['received'][number][] = [];
  let arrived = (): void => {};
  const server: Server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    received.push({ authorization: request.headers.authorization ?? '', body });
    response.end('{"ok":true}');
    arrived();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const next = (): Promise<void> =>
    new Promise((resolve) => {
      arrived = resolve;
    });
  return { url: `http://127.0.0.1:${port}/hooks/wake`, received, next };
}

describe('the rooms of the broker together', () => {
  it('the agent is woken when its request is final, with id and outcome and never with output', async () => {
    const hook = await startHook();
    const house = await start({ env: { OPENCLAW_HOOK_URL: hook.url, OPENCLAW_HOOK_TOKEN: 'hook-token' } });
    expect(await house.owner.wakeTest('desktop')).toMatchObject({ ok: true });
    const { body } = await house.agent().execute({ skill_id: 'speaker', code: 'console.log("the output")' });
    const id = String(body.request_id);
    const woken = hook.next();
    await house.decide(id, 'once');
    await woken;
    expect(hook.received).toHaveLength(2);
    const [, wake] = hook.received;
    expect(wake?.authorization).toBe('Bearer hook-token');
    expect(JSON.parse(wake?.body ?? '')).toEqual({ text: expect.stringContaining(id), mode: 'now' });
    expect(wake?.body).toContain('success');
    expect(wake?.body).not.toContain('the output');
  });

  it('a program pairs by a code that the owner compares, and its token works', async () => {
    const window = recordingChannel();
    const house = await start({ ports: { extraChannels: [window] } });
    const asked = await agentAt(house.url, '', 'none').call('POST', '/pair', { name: 'newcomer' });
    expect(asked.status).toBe(202);
    const card = window.shown.at(-1);
    expect(card?.subject).toBe('pairing');
    expect(JSON.stringify(card)).toContain(String(asked.body.code));
    const decision = { subject: 'pairing', id: card?.id ?? '', revision: card?.revision ?? '' } as const;
    await house.broker.desk.decide({ ...decision, verdict: 'approve', principal: 'desktop' });
    const got = await agentAt(house.url, '', 'none').call('GET', `/pair/${asked.body.pairing_id}`);
    const agent = agentAt(house.url, 'newcomer', String(got.body.token));
    expect((await agent.call('GET', '/requests/req_missing')).status).toBe(404);
    expect(house.owner.agents()).toMatchObject([{ name: 'newcomer', status: 'active' }]);
  });

  it('panic stops a run that is going on', async () => {
    const house = await start();
    const agent = house.agent();
    const { body } = await agent.execute({ skill_id: 'loop', code: 'while (true) {}', metadata: { timeout: 600 } });
    const id = String(body.request_id);
    const running = new Promise<void>((resolve) => {
      house.broker.events.onChanged((request) => {
        if (request.status === 'running') resolve();
      });
    });
    await house.decide(id, 'forever');
    await running;
    expect(await house.owner.panic('desktop')).toEqual({ runs_stopped: 1, trust_revoked: 1, agents_paused: 1 });
    house.owner.pauseAgent('desktop', agent.name, false);
    expect(await agent.result(id)).toMatchObject({ status: 'failed', error: { code: 'killed' } });
    expect(house.broker.trayFacts()).toMatchObject({ running: 0, vault: 'locked' });
  });

  it('a lowered or lifted limit holds at once', async () => {
    const house = await start();
    const agent = house.agent();
    const ask = (n: number) => agent.execute({ skill_id: 'many', code: `console.log(${n})` });
    house.owner.setSetting('desktop', 'limits.pending_per_agent', 1);
    expect((await ask(1)).status).toBe(202);
    expect(await ask(2)).toMatchObject({ status: 429, body: { error: { code: 'rate_limited' } } });
    house.owner.setSetting('desktop', 'limits.pending_per_agent', 2);
    expect((await ask(2)).status).toBe(202);
  });

  it('the manifest names the engine that is installed', () => {
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    const { dependencies } = z.object({ dependencies: z.record(z.string(), z.string()) }).parse(JSON.parse(text));
    expect(embeddedCarrier.image).toBe(
      `quickjs-wasmfile-release-sync@${dependencies['@jitl/quickjs-wasmfile-release-sync']}`,
    );
  });
});

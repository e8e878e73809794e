import { afterEach, expect, it } from 'vitest';
import { fakeKey, startTestBroker, type TestBroker } from '../support/broker.ts';

let house: TestBroker;
afterEach(() => house.stop());

const sampleAgents = () => house.owner.agents().filter(({ name }) => name === 'sample');
const end = async (id: string): Promise<string> => {
  await expect.poll(() => house.owner.requestDetail(id).status).toMatch(/success|denied/);
  return house.owner.requestDetail(id).status;
};

it('a sample request waits like any other, runs when it is approved, and its agent goes with it', async () => {
  house = await startTestBroker();
  const { request_id: id } = await house.owner.sampleRequest('desktop');
  expect(await house.owner.sampleRequest('desktop')).toEqual({ request_id: id });
  const card = house.card(id);
  expect(card.missingSecrets).toEqual([]);
  expect(card.findings.filter(({ severity }) => severity === 'warn')).toEqual([]);
  await house.decide(id, 'forever');
  expect(await end(id)).toBe('success');
  expect(house.owner.requestDetail(id).result).toMatchObject({ stdout: expect.stringContaining('Hello from') });
  await expect.poll(() => sampleAgents().map(({ status }) => status)).toEqual(['revoked']);
  expect(house.owner.trust().filter(({ status }) => status === 'live')).toEqual([]);
});

it('a sample can be asked for again and again, and a skill that only has its name is left alone', async () => {
  house = await startTestBroker();
  for (const verdict of ['deny', 'once'] as const) {
    const { request_id: id } = await house.owner.sampleRequest('desktop');
    await house.decide(id, verdict);
    await end(id);
    await expect.poll(() => sampleAgents().filter(({ status }) => status !== 'revoked')).toEqual([]);
  }
  const agent = house.agent('home-agent');
  const asked = await agent.execute({ skill_id: 'hello-from-your-sandbox', code: 'console.log(1)' });
  await house.decide(String(asked.body.request_id), 'once');
  await agent.result(String(asked.body.request_id));
  expect(house.owner.agents().find(({ name }) => name === 'home-agent')?.status).toBe('active');
});

it('the owner sees what ran with a secret, and which one nothing has used for 30 days', async () => {
  const day = 24 * 60 * 60 * 1000;
  let skewMs = 0;
  const clock = { wallMs: () => Date.now() + skewMs, monotonicMs: () => performance.now() };
  house = await startTestBroker({ ports: { clock } });
  for (const name of ['USED_KEY', 'IDLE_KEY']) {
    house.owner.addSecret('desktop', { name, value: fakeKey(), hosts: ['api.example.com'] });
  }
  const agent = house.agent('home-agent');
  const body = {
    skill_id: 'reader',
    code: "console.log(Deno.env.get('USED_KEY').length > 0)",
    secrets: ['USED_KEY'],
    metadata: { network: ['api.example.com'] },
  };
  skewMs = 31 * day;
  for (let run = 0; run < 2; run += 1) {
    const id = String((await agent.execute(body)).body.request_id);
    await house.decide(id, 'once');
    expect(await agent.result(id)).toMatchObject({ status: 'success' });
  }
  expect(house.owner.secrets()).toMatchObject([
    { name: 'IDLE_KEY', unused: true, used_by: [] },
    { name: 'USED_KEY', unused: false, used_by: [{ agent: 'home-agent', skill_id: 'reader', runs: 2 }] },
  ]);
});

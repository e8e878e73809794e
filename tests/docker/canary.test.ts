import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { EngineApi, EngineError } from '../../main/backends/docker/engineApi.ts';
import { canaryValue, memoryOf, processesFrom, sightings, startFactsOf } from '../support/canary.ts';
import { openContainerHouse } from '../support/containerHouse.ts';
import { startHttpsUpstream } from '../support/httpsUpstream.ts';

const host = 'api.example.com';
const anything = z.looseObject({});
const stateSchema = z.looseObject({ Image: z.string(), State: z.looseObject({ Pid: z.number() }) });

function signal(): Readonly<{ fire: () => void; fired: Promise<void> }> {
  let fire = (): void => {};
  const fired = new Promise<void>((resolve) => {
    fire = resolve;
  });
  return { fire: () => fire(), fired };
}

/** The engine's answer about its own things, or its refusal; either is something that an outsider can read. */
async function said(engine: EngineApi, path: string, query: Readonly<Record<string, string>> = {}): Promise<Buffer> {
  try {
    return await buffer(await engine.bytes({ method: 'GET', path, query }));
  } catch (error) {
    if (error instanceof EngineError && error.status !== 0) return Buffer.from(error.message);
    throw error;
  }
}

it('E106 the real value is nowhere in a container, nor in what its engine tells of it', async () => {
  const value = canaryValue();
  const marker = randomBytes(16).toString('hex');
  const reached = signal();
  const release = signal();
  const api = await startHttpsUpstream([host], {
    answer: async (request, response) => {
      // The value comes back, so redaction has to be on its way into the container as well.
      response.write(`you sent ${request.headers.authorization ?? ''}\n`);
      reached.fire();
      await release.fired;
      response.end('over');
    },
  });
  const house = await openContainerHouse({
    runtimes: ['node'],
    rootsPem: api.authorityPem,
    env: { OAUTH3_EGRESS_HOSTS: `${host}=127.0.0.1:${api.port}` },
  });
  try {
    house.owner.addSecret('desktop', { name: 'KEY', value, hosts: [host] });
    const agent = house.agent();
    const code = `const marker = '${marker}';
      const answer = await fetch('https://${host}/', { headers: { authorization: 'Bearer ' + process.env.KEY } });
      for await (const chunk of answer.body) process.stdout.write(chunk);
      console.log(marker, process.env.KEY);`;
    const id = await house.begin(agent, { runtime: 'node', code, secrets: ['KEY'], network: [host], timeoutS: 120 });
    await reached.fired;
    expect(api.received[0]?.headers.authorization).toBe(`Bearer ${value}`);

    const engine = new EngineApi({ kind: 'local', socketPath: house.engine.facts.socketPath });
    const containers = await house.containers();
    const told = await Promise.all(
      containers.map(async (container) => {
        const path = `/containers/${container.id}`;
        const facts = await engine.json({ method: 'GET', path: `${path}/json` }, stateSchema);
        const history = await engine.json({ method: 'GET', path: `/images/${facts.Image}/history` }, z.array(anything));
        const processes = await engine.json({ method: 'GET', path: `${path}/top` }, anything);
        const logs = await said(engine, `${path}/logs`, { stdout: '1', stderr: '1' });
        return { pid: facts.State.Pid, text: JSON.stringify([facts, history, processes, logs.toString('latin1')]) };
      }),
    );
    const files = await Promise.all(containers.map(({ id: each }) => said(engine, `/containers/${each}/export`)));
    engine.close();
    const processes = told.flatMap(({ pid }) => processesFrom(pid));
    const places = [
      ...told.map(({ text }, index) => ({ name: `what the engine tells of container ${index}`, content: text })),
      ...startFactsOf(processes),
      ...processes.flatMap((pid) => [...memoryOf(pid)]),
    ];
    // The search finds what is there: the code itself is in the memory of its process, and in nothing that is told.
    expect(sightings([marker], places).length).toBeGreaterThan(0);
    expect(sightings([marker], places.slice(0, told.length))).toEqual([]);
    expect(sightings([value], places)).toEqual([]);
    for (const content of files) {
      expect(content.includes('app/runner.mjs')).toBe(true);
      expect(sightings([value], [{ name: 'the files of a container', content }])).toEqual([]);
    }

    release.fire();
    const answer = await agent.result(id, 60_000);
    expect(answer).toMatchObject({ status: 'success', result: { stdout: expect.stringContaining(marker) } });
    expect(sightings([value], [{ name: 'the result', content: JSON.stringify(answer) }])).toEqual([]);
  } finally {
    release.fire();
    await house.stop();
    await api.close();
  }
});

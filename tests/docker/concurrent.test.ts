import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Runtime } from '../../contract/runtime.ts';
import { fakeKey, type TestAgent } from '../support/broker.ts';
import { type ContainerHouse, openContainerHouse } from '../support/containerHouse.ts';
import { echo, startHttpsUpstream, type UpstreamServer } from '../support/httpsUpstream.ts';

const runtimes: readonly Runtime[] = ['deno', 'node', 'python', 'quickjs'];

/** One of those that run at once: everything of it is its own. */
type Party = Readonly<{ host: string; name: string; key: string; marker: string; runtime: Runtime; agent: TestAgent }>;

const names = Array.from({ length: 10 }, (_, index) => `api${index}.example.com`);

/**
 * Meets the others (tells its stand-in, backwards so that nothing takes it for one, and is told that of a neighbour),
 * then sends its own stand-in where it belongs and the neighbour's in a header of its own.
 */
const programOf = ({ host, name, marker, runtime }: Omit<Party, 'agent'>): string =>
  runtime === 'python'
    ? `
import os, urllib.request
key = os.environ['${name}']
def call(path, body, **headers):
    request = urllib.request.Request('https://${host}' + path, data=body.encode(), method='POST',
        headers={'authorization': 'Bearer ' + key, **headers})
    return urllib.request.urlopen(request).read().decode()
other = call('/meet', key[::-1])[::-1]
echo = call('/echo', '${marker}', **{'x-other': other})
print('${marker}', key, other)
print(echo)`
    : `
const key = ${runtime === 'node' ? `process.env.${name}` : `Deno.env.get('${name}')`};
const call = async (path, body, headers) => (await fetch('https://${host}' + path, {
  method: 'POST', body, headers: { authorization: 'Bearer ' + key, ...headers } })).text();
const backwards = (text) => [...text].reverse().join('');
const other = backwards(await call('/meet', backwards(key), {}));
const echo = await call('/echo', '${marker}', { 'x-other': other });
console.log('${marker}', key, other);
console.log(echo);`;

const egressSchema = z.array(z.looseObject({ host: z.string(), path: z.string(), secrets: z.array(z.string()) }));
const resultSchema = z.looseObject({
  status: z.string(),
  result: z.looseObject({ stdout: z.string(), egress: egressSchema }),
});

let api: UpstreamServer & Readonly<{ authorityPem: string }>;
let house: ContainerHouse;
let parties: readonly Party[];

beforeEach(async () => {
  api = await startHttpsUpstream(names);
  house = await openContainerHouse({
    runtimes,
    rootsPem: api.authorityPem,
    env: { OAUTH3_EGRESS_HOSTS: names.map((name) => `${name}=127.0.0.1:${api.port}`).join(',') },
  });
  house.owner.setSetting('desktop', 'limits.concurrent_runs', names.length);
  parties = names.map((host, index) => {
    const party = { host, name: `KEY_${index}`, key: fakeKey(), marker: `marker-${index}-${crypto.randomUUID()}` };
    house.owner.addSecret('desktop', { name: party.name, value: party.key, hosts: [host] });
    return { ...party, runtime: runtimes[index % runtimes.length] ?? 'node', agent: house.agent() };
  });
});
afterEach(async () => {
  await house.stop();
  await api.close();
});

/** Nobody is answered at /meet before everybody is there; then each gets what its neighbour said. */
function meeting(size: number): () => Promise<string> {
  const answers: ((text: string) => void)[] = [];
  return () =>
    new Promise((resolve) => {
      answers.push(resolve);
      if (answers.length < size) return;
      const told = api.received.filter(({ path }) => path === '/meet').map(({ body }) => body.toString());
      for (const [index, answer] of answers.entries()) answer(told[(index + 1) % size] ?? '');
    });
}

describe('ten runs of ten agents at the same time, in all runtimes', () => {
  it('share nothing: each has its own output, stand-in, key and rows', async () => {
    const meet = meeting(parties.length);
    api.setAnswer(async (request, response) => {
      if (request.path === '/meet') response.end(await meet());
      else echo(request, response);
    });
    const ends = await Promise.all(parties.map(end));
    const words = ends.map(({ stdout }) => (stdout.split('\n')[0] ?? '').split(' '));
    const standIns = words.map(([, standIn = '']) => standIn);
    expect(new Set(standIns).size).toBe(parties.length);
    for (const [index, { stdout, marker, host, name, egress }] of ends.entries()) {
      const [ownMarker, standIn = '', neighbour = ''] = words[index] ?? [];
      const echoed = stdout.split('\n')[1] ?? '';
      expect(ownMarker).toBe(marker);
      expect(standIns.filter((each) => each !== standIn)).toContain(neighbour);
      const others = parties.filter((party) => party.marker !== marker).map((party) => party.marker);
      const strangers = standIns.filter((each) => each !== standIn && each !== neighbour);
      const keys = parties.map(({ key }) => key);
      expect([...others, ...strangers, ...keys].filter((each) => stdout.includes(each))).toEqual([]);
      expect(JSON.parse(echoed)).toMatchObject({ path: '/echo', headers: { host }, body: marker });
      expect(egress.map((row) => [row.host, row.path, row.secrets])).toEqual([
        [host, '/meet', [name]],
        [host, '/echo', [name]],
      ]);
    }
    expect(api.received.length).toBe(2 * parties.length);
    for (const [index, { key, host, marker }] of ends.entries()) {
      const sent = api.received.filter(({ servername }) => servername === host);
      expect(sent.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${key}`, `Bearer ${key}`]);
      // A stand-in of another run means nothing here: it arrives as the word that it is.
      expect(sent[1]).toMatchObject({ headers: { 'x-other': words[index]?.[2] } });
      expect(String(sent[1]?.body)).toBe(marker);
    }
  }, 240_000);
});

/** Runs one of them to its end, as its agent and the owner see it. */
async function end(party: Party) {
  const { agent, runtime, name, host } = party;
  const wish = { code: programOf(party), runtime, secrets: [name], network: [host], timeoutS: 90, memoryMb: 128 };
  const id = await house.begin(agent, wish);
  const view = resultSchema.parse(await agent.result(id, 110_000));
  expect(`${runtime}: ${view.status} ${JSON.stringify(view.result)}`).toContain(`${runtime}: success`);
  return { ...party, stdout: view.result.stdout, egress: view.result.egress };
}

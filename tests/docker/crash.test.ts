import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { RequestState } from '../../contract/states.ts';
import { type EngineRelay, openEngineRelay } from '../support/engineRelay.ts';
import { type HeadlessHouse, openHeadlessHouse } from '../support/headlessHouse.ts';

/** How long after the end of the app one of its containers may run. */
const goneWithinMs = 2_000;
const patience = { timeout: 30_000, interval: 25 };

let relay: EngineRelay;
let house: HeadlessHouse;

beforeAll(async () => {
  relay = await openEngineRelay();
  relay.showImagesOf(['deno', 'python']);
  house = await openHeadlessHouse(['deno', 'python'], { DOCKER_HOST: relay.url });
  // One at a time, so that an approved request can be made to wait.
  await house.oauth3(['settings', 'set', 'limits.concurrent_runs', '1']);
  const { request_id } = (await house.agent().execute(alive)).body;
  await house.tap('⏱ Trust 24h', alive.skill_id);
  expect(await house.agent().result(String(request_id))).toMatchObject({ status: 'success' });
}, 600_000);
afterAll(async () => {
  await house?.close();
  await relay?.close();
});
beforeEach(() => warm());

const alive = { skill_id: 'alive', code: 'console.log("alive")', metadata: { runtime: 'deno' } };

/** Code that tells the upstream its name, once, and then does what it is for. */
const programs = {
  quiet: 'import time; time.sleep(600)',
  short: '',
  floods: "while True: print('x' * 10_000)",
  daemons: `
import os, signal, time
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGPIPE): signal.signal(number, signal.SIG_IGN)
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        while True: time.sleep(1)
while True: time.sleep(1)`,
} as const;

const bodyOf = (name: string, then: keyof typeof programs) => ({
  skill_id: name,
  code: `import urllib.request
urllib.request.urlopen('https://${house.host}/${name}').read()
${programs[then]}`,
  metadata: { runtime: 'python', network: [house.host] },
});

/** Each run asks the upstream for its name once. */
const reached = (name: string): number => house.api.received.filter(({ path }) => path === `/${name}`).length;

async function ask(name: string, then: keyof typeof programs): Promise<string> {
  const { body } = await house.agent().execute(bodyOf(name, then));
  expect(body.status).toBe('pending');
  return String(body.request_id);
}

const statusOf = async (id: string): Promise<unknown> =>
  (await house.agent().call('GET', `/requests/${id}`)).body.status;

async function approved(name: string, then: keyof typeof programs): Promise<string> {
  const id = await ask(name, then);
  await house.tap('✅ Run Once', name);
  return id;
}

async function running(name: string, then: keyof typeof programs): Promise<string> {
  const id = await approved(name, then);
  await vi.waitFor(() => expect(reached(name)).toBe(1), patience);
  return id;
}

/** Waits until a container stands ready for each image. */
const warm = () =>
  house.engine.until(
    house.installId(),
    (all) =>
      all.every(({ state }) => state === 'running') &&
      new Set(all.map(({ image }) => image)).size === 2 &&
      all.length === 2,
  );

const rowSchema = z.array(z.object({ id: z.string(), status: z.string(), executions: z.number() }));

/** What the database says while no broker runs: whole, and no request begun twice. */
function stored(): ReadonlyMap<string, string> {
  const database = new Database(join(house.dataDir, 'proxy.db'));
  try {
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    const rows = rowSchema.parse(
      database
        .prepare(
          `SELECT id, status, (SELECT count(*) FROM executions WHERE request_id = requests.id) AS executions
           FROM requests`,
        )
        .all(),
    );
    expect(rows.filter(({ executions }) => executions > 1)).toEqual([]);
    return new Map(rows.map(({ id, status }) => [id, status]));
  } finally {
    database.close();
  }
}

type Left = Readonly<{
  /** What became of a request: in the database after the end, and after the next start. */
  requests: readonly Readonly<{ id: string; name: string; was: RequestState; is: RequestState; runs: number }>[];
  letGo?: () => void;
}>;

const left = (id: string, name: string, was: RequestState, is: RequestState, runs: number): Left => ({
  requests: [{ id, name, was, is, runs }],
});

/** Starts anew with calls of this kind held, and comes back when the first one is. */
async function startAnew(call: RegExp, when: 'before' | 'after' = 'before'): Promise<Left> {
  await house.broker().stop();
  const { arrived, letGo } = relay.hold(call, when);
  await house.start();
  await arrived;
  return { requests: [], letGo };
}

const points: readonly (readonly [when: string, reach: () => Promise<Left>])[] = [
  ['asks which images there are, at its start', () => startAnew(/^GET \/images\/json$/)],
  ['has a container made and does not know its id yet', () => startAnew(/^POST \/containers\/create$/, 'after')],
  ['has a container that is not started yet', () => startAnew(/^POST \/containers\/\w+\/start$/)],
  ['holds containers ready', async () => ({ requests: [] })],
  [
    'has a request that waits for its owner',
    async () => left(await ask('waits', 'short'), 'waits', 'pending', 'pending', 0),
  ],
  [
    'has consumed an approval and not begun the run',
    async () => {
      const first = await running('ahead', 'quiet');
      const second = await approved('behind', 'short');
      await vi.waitFor(async () => expect(await statusOf(second)).toBe('approved'), patience);
      return {
        requests: [
          { id: first, name: 'ahead', was: 'running', is: 'interrupted', runs: 1 },
          { id: second, name: 'behind', was: 'approved', is: 'interrupted', runs: 0 },
        ],
      };
    },
  ],
  [
    'has begun a run whose container is not ready',
    async () => {
      await house.oauth3(['settings', 'set', 'pool.size', '0']);
      await house.engine.untilNoneOf(house.installId());
      const { arrived, letGo } = relay.hold(/^POST \/containers\/\w+\/start$/);
      const id = await approved('unready', 'short');
      await arrived;
      await house.oauth3(['settings', 'set', 'pool.size', '1']);
      return { ...left(id, 'unready', 'running', 'interrupted', 0), letGo };
    },
  ],
  [
    'carries a request of the code',
    async () => {
      house.api.setAnswer(() => {});
      return left(await running('asks', 'short'), 'asks', 'running', 'interrupted', 1);
    },
  ],
  ['runs code that is quiet', async () => left(await running('quiet', 'quiet'), 'quiet', 'running', 'interrupted', 1)],
  [
    'runs code that floods its output',
    async () => left(await running('floods', 'floods'), 'floods', 'running', 'interrupted', 1),
  ],
  [
    'runs code that ignores signals and has daemons',
    async () => left(await running('daemons', 'daemons'), 'daemons', 'running', 'interrupted', 1),
  ],
  [
    'removes the container of a run that is over',
    async () => {
      const { arrived, letGo } = relay.hold(/^DELETE \/containers\/\w+$/);
      const id = await running('over', 'short');
      await arrived;
      await vi.waitFor(async () => expect(await statusOf(id)).toBe('success'), patience);
      return { ...left(id, 'over', 'success', 'success', 1), letGo };
    },
  ],
  [
    'stops, with a run in the middle',
    async () => {
      const id = await running('stopped', 'daemons');
      const { arrived, letGo } = relay.hold(/^DELETE \/containers\/\w+$/);
      process.kill(house.broker().pid, 'SIGTERM');
      await arrived;
      return { ...left(id, 'stopped', 'interrupted', 'interrupted', 1), letGo };
    },
  ],
];

describe('K178 K181 an app that is killed while it', () => {
  it.each(points)(
    '%s leaves nothing that runs, one state for each request, and no second run',
    async (_when, reach) => {
      const { requests, letGo } = await reach();
      const before = new Set((await house.engine.containersOf(house.installId())).map(({ id }) => id));
      await house.killNow();
      const stopped = await house.engine.until(
        house.installId(),
        (all) => all.every(({ state }) => state !== 'running' && state !== 'paused'),
        goneWithinMs,
      );
      for (const { id } of stopped) before.add(id);
      const inDatabase = stored();
      letGo?.();
      house.api.setAnswer((_request, response) => void response.end());
      await house.start();
      for (const { id, was, is } of requests) {
        expect([inDatabase.get(id), await statusOf(id)]).toEqual([was, is]);
      }
      // It works again, and what it might have begun once more has had its time.
      expect(await house.agent().execute(alive)).toMatchObject({ body: { status: 'success', stdout: 'alive\n' } });
      await house.engine.until(house.installId(), (all) => all.every(({ id }) => !before.has(id)));
      expect(requests.map(({ name }) => reached(name))).toEqual(requests.map(({ runs }) => runs));
      expect((await house.oauth3(['audit', 'verify'])).code).toBe(0);
    },
  );

  it('waits for its owner: the request runs once, when it is approved after all', async () => {
    const id = await ask('waits', 'short');
    await house.tap('✅ Run Once', 'waits');
    expect(await house.agent().result(id)).toMatchObject({ status: 'success', decision: 'once' });
    expect(reached('waits')).toBe(1);
  });
});

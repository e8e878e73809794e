import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { type HeadlessHouse, openHeadlessHouse } from '../support/headlessHouse.ts';

const runs = 200;
const kib = 1024;
/** Pages that came and did not go again yet; far below what a leak of the size of a run's output would be. */
const mostResidentKb = 100;
/** A run that is kept is some 40 KB without any output: its stand-ins and keys, its authority, its connections. */
const mostHeldKb = 20;
/** Connections to the engine and of the agent that are kept for a next call; a leak would be some hundred. */
const idleConnections = 8;

/** Memory is looked at so often. */
const lookEvery = 10;
const patience = { timeout: 20_000, interval: 100 };

const jobs = [
  { skill_id: 'one-line-deno', code: 'console.log(6 * 7)', metadata: { runtime: 'deno' } },
  { skill_id: 'one-line-node', code: 'console.log(6 * 7)', metadata: { runtime: 'node' } },
  { skill_id: 'one-line-python', code: 'print(6 * 7)', metadata: { runtime: 'python' } },
] as const;

const statusSchema = z.object({
  sandboxes: z.array(z.object({ isolation: z.string(), state: z.string(), image: z.string() })),
});

let house: HeadlessHouse;
let memoryFile = '';

beforeAll(async () => {
  memoryFile = join(mkdtempSync(join(tmpdir(), 'oauth3-memory-')), 'log');
  house = await openHeadlessHouse(['deno', 'node', 'python'], {
    NODE_OPTIONS: `--import=${new URL('../support/memoryLog.ts', import.meta.url).href}`,
    MEMORY_LOG: memoryFile,
  });
  await house.oauth3(['settings', 'set', 'limits.requests_per_minute', '1000000']);
}, 600_000);
afterAll(async () => {
  await house?.close();
  rmSync(dirname(memoryFile), { recursive: true, force: true });
});

const openFiles = (): number => readdirSync(`/proc/${house.broker().pid}/fd`).length;

const memorySchema = z.object({ rss: z.number(), held: z.number() });
const memory = () =>
  readFileSync(memoryFile, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => memorySchema.parse(JSON.parse(line)));

/** Slope of the line with the least squares through values that are one step apart. */
function slopeOf(values: readonly number[]): number {
  const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [meanX, meanY] = [(values.length - 1) / 2, mean(values)];
  const covariance = values.reduce((sum, value, x) => sum + (x - meanX) * (value - meanY), 0);
  return covariance / values.reduce((sum, _, x) => sum + (x - meanX) ** 2, 0);
}

/** Waits until exactly one container stands ready for each image that the broker has, and nothing else is there. */
async function settled(): Promise<void> {
  const { stdout } = await house.oauth3(['status', '--json']);
  const ready = statusSchema
    .parse(JSON.parse(stdout))
    .sandboxes.filter(({ isolation, state }) => isolation !== 'embedded' && state === 'ready');
  const wanted = ready.map(({ image }) => image).sort();
  await house.engine.until(
    house.installId(),
    (all) =>
      all.every(({ state }) => state === 'running') && isDeepStrictEqual(all.map(({ image }) => image).sort(), wanted),
  );
}

describe(`${runs} trusted runs, as fast as they go`, () => {
  it('leave no container, no open file and no memory behind', async () => {
    const agent = house.agent();
    for (const job of jobs) {
      const { body } = await agent.execute(job);
      await house.tap('⏱ Trust 24h', job.skill_id);
      expect(await agent.result(String(body.request_id))).toMatchObject({ status: 'success' });
    }
    let [left, done] = [runs, 0];
    const run = async (job: (typeof jobs)[number]): Promise<void> => {
      while (left > 0) {
        left -= 1;
        expect(await agent.execute(job)).toMatchObject({ body: { status: 'success', stdout: '42\n', trusted: true } });
        done += 1;
        if (done % lookEvery === 0) process.kill(house.broker().pid, 'SIGUSR2');
      }
    };
    await settled();
    const filesBefore = openFiles();
    const begun = performance.now();
    await Promise.all(jobs.map(run));
    const seconds = (performance.now() - begun) / 1000;
    expect(done).toBe(runs);
    await settled();
    await vi.waitFor(() => expect(openFiles() - filesBefore).toBeLessThanOrEqual(idleConnections), patience);
    const looks = memory();
    const second = looks.slice(looks.length / 2);
    const perRun = (name: 'rss' | 'held'): number => slopeOf(second.map((look) => look[name])) / lookEvery / kib;
    const mb = (bytes = 0): string => (bytes / kib / kib).toFixed(0);
    console.log(
      `${runs} runs in ${seconds.toFixed(1)} s; files ${filesBefore} -> ${openFiles()}; ` +
        `resident ${mb(looks[0]?.rss)} -> ${mb(looks.at(-1)?.rss)} MB, in the second half ${perRun('rss').toFixed(1)} KB per run; ` +
        `held ${mb(looks[0]?.held)} -> ${mb(looks.at(-1)?.held)} MB, ${perRun('held').toFixed(1)} KB per run`,
    );
    expect(perRun('rss')).toBeLessThan(mostResidentKb);
    expect(perRun('held')).toBeLessThan(mostHeldKb);
    expect((await house.oauth3(['audit', 'verify'])).code).toBe(0);
    await house.broker().stop();
    expect(await house.engine.containersOf(house.installId())).toEqual([]);
  }, 300_000);
});

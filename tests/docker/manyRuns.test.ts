import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type HeadlessHouse, openHeadlessHouse } from '../support/headlessHouse.ts';

const runs = 200;
const kib = 1024;
/** Far above what a run leaves behind, far below what a run holds (its certificate, its streams, its output). */
const mostKbPerRun = 100;
/** Connections to the engine and of the agent that are kept for a next call; a leak would be some hundred. */
const idleConnections = 8;

const patience = { timeout: 20_000, interval: 100 };

const jobs = [
  { skill_id: 'one-line-deno', code: 'console.log(6 * 7)', metadata: { runtime: 'deno' } },
  { skill_id: 'one-line-node', code: 'console.log(6 * 7)', metadata: { runtime: 'node' } },
  { skill_id: 'one-line-python', code: 'print(6 * 7)', metadata: { runtime: 'python' } },
] as const;

let house: HeadlessHouse;

beforeAll(async () => {
  house = await openHeadlessHouse(['deno', 'node', 'python']);
  await house.oauth3(['settings', 'set', 'limits.requests_per_minute', '1000000']);
}, 600_000);
afterAll(() => house?.close());

const openFiles = (): number => readdirSync(`/proc/${house.broker().pid}/fd`).length;
const residentKb = (): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${house.broker().pid}/status`, 'utf8'))?.[1]);

/** Slope of the line with the least squares through values that are one step apart. */
function slopeOf(values: readonly number[]): number {
  const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [meanX, meanY] = [(values.length - 1) / 2, mean(values)];
  const covariance = values.reduce((sum, value, x) => sum + (x - meanX) * (value - meanY), 0);
  return covariance / values.reduce((sum, _, x) => sum + (x - meanX) ** 2, 0);
}

/** One container stands ready for each image that the engine has; then nothing of the runs is on its way any more. */
async function settled(): Promise<readonly string[]> {
  const isSettled = (states: readonly string[]): boolean =>
    states.length > 0 && states.every((each) => each === 'running');
  const images = new Set<string>();
  const all = await house.engine.until(house.installId(), (now) => {
    images.clear();
    for (const { image } of now) images.add(image);
    return isSettled(now.map(({ state }) => state)) && now.length === images.size;
  });
  return all.map(({ image }) => image).sort();
}

describe(`${runs} trusted runs, as fast as they go`, () => {
  it('leave no container, no open file and no memory behind', async () => {
    const agent = house.agent();
    for (const job of jobs) {
      const { body } = await agent.execute(job);
      await house.tap('⏱ Trust 24h', job.skill_id);
      expect(await agent.result(String(body.request_id))).toMatchObject({ status: 'success' });
    }
    const memory: number[] = [];
    let left = runs;
    const run = async (job: (typeof jobs)[number]): Promise<void> => {
      while (left > 0) {
        left -= 1;
        expect(await agent.execute(job)).toMatchObject({ body: { status: 'success', stdout: '42\n', trusted: true } });
        memory.push(residentKb());
      }
    };
    const poolBefore = await settled();
    const filesBefore = openFiles();
    const begun = performance.now();
    await Promise.all(jobs.map(run));
    const seconds = (performance.now() - begun) / 1000;
    expect(memory).toHaveLength(runs);
    expect(await settled()).toEqual(poolBefore);
    await vi.waitFor(() => expect(openFiles() - filesBefore).toBeLessThanOrEqual(idleConnections), patience);
    const slope = slopeOf(memory.slice(runs / 2));
    const [first = 0, last = 0] = [memory[0], memory.at(-1)];
    console.log(
      `${runs} runs in ${seconds.toFixed(1)} s; files ${filesBefore} -> ${openFiles()}; ` +
        `memory ${(first / kib).toFixed(0)} -> ${(last / kib).toFixed(0)} MB, ${slope.toFixed(1)} KB per run at the end`,
    );
    expect(slope).toBeLessThan(mostKbPerRun);
    expect((await house.oauth3(['audit', 'verify'])).code).toBe(0);
    await house.broker().stop();
    expect(await house.engine.containersOf(house.installId())).toEqual([]);
  }, 300_000);
});

import type { UsableEngine } from '../scripts/setup/containerEngine.ts';
import { startContainerHouse } from './containerHouse.ts';
import { docker, dockerRunArgs } from './dockerRun.ts';
import { oneLines, stdinCommand } from './oneLine.ts';
import { type Race, race } from './race.ts';

/** As many as the app runs at once for one agent. */
const AT_ONCE = 3;
const WINDOW_MS = 12_000;
const pools = [1, 3] as const;

/** Runs per second, over a window and the runs that are under way at its end. */
async function sustained(once: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  let count = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() - started < WINDOW_MS) {
      await once();
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return count / ((performance.now() - started) / 1000);
}

/**
 * One run after the other, several side by side, without time for the pool to fill again: what a broker carries for long,
 * against `docker run` as often as it goes.
 */
export async function benchRate(engine: UsableEngine, rounds: number): Promise<readonly Race[]> {
  const line = oneLines.find(({ row }) => row.runtime === 'deno');
  if (line === undefined) throw new Error('there is no deno in the table');
  const { row, code } = line;
  const house = await startContainerHouse(engine);
  try {
    const imageId = house.images([row.runtime], 'container').get(row.runtime) ?? '';
    const run = await house.trusted({ code, metadata: { runtime: row.runtime } });
    const args = dockerRunArgs({
      ...{ imageId, engineRuntime: 'runc', profileFile: house.profileFile },
      ...{ command: stdinCommand(row), env: row.env },
    });
    const theirs = async (): Promise<readonly number[]> => [await sustained(() => docker(house.engineUrl, args, code))];
    const races: Race[] = [];
    for (const size of pools) {
      house.broker.oauth3('settings', 'set', 'pool.size', String(size));
      const ours = async (): Promise<readonly number[]> => {
        const rate = await sustained(run);
        // The other side must not share the machine with our refilling.
        await house.warmth.untilReady(imageId, size, 0);
        return [rate];
      };
      await house.warmth.untilReady(imageId, size, 500);
      races.push(
        await race(`sustained rate of one line of ${row.runtime}, ${AT_ONCE} at once`, 'runs/s', rounds, [
          { name: `pool of ${size}`, measure: ours },
          { name: 'docker run --rm', measure: theirs },
        ]),
      );
    }
    return races;
  } finally {
    await house.close();
  }
}

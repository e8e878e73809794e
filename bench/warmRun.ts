import type { Isolation } from '../contract/runtime.ts';
import type { UsableEngine } from '../scripts/setup/containerEngine.ts';
import { coldRun } from './coldRun.ts';
import { startContainerHouse } from './containerHouse.ts';
import { docker, dockerRunArgs } from './dockerRun.ts';
import { oneLines, stdinCommand } from './oneLine.ts';
import { type Race, race } from './race.ts';

export type WarmRun = Readonly<{
  isolation: Extract<Isolation, 'container' | 'gvisor'>;
  engineRuntime: string;
  rounds: number;
  /** Of ours to `docker run`. */
  aim: number;
  /** From a running container to a runner that waits, ms; well over what it takes. */
  startMs: number;
}>;

/**
 * A whole trusted run of one line over HTTP (guard, digest, trust, durable records, sandbox, redaction), with a container
 * standing ready, against the same hardened container made for the line, through the engine's API and by `docker run`.
 */
export async function benchWarmRuns(engine: UsableEngine, options: WarmRun): Promise<readonly Race[]> {
  const { isolation, engineRuntime, rounds, aim, startMs } = options;
  const house = await startContainerHouse(engine);
  try {
    const images = house.images(
      oneLines.map(({ row }) => row.runtime),
      isolation,
    );
    const races: Race[] = [];
    for (const { row, code, prints } of oneLines) {
      const imageId = images.get(row.runtime) ?? '';
      const run = await house.trusted({ code, metadata: { runtime: row.runtime, isolation } });
      const ready = (): Promise<void> => house.warmth.untilReady(imageId, 1, startMs);
      const check = (printed: string): void => {
        if (printed.trim() !== prints) throw new Error(`unexpected output: ${JSON.stringify(printed)}`);
      };
      const bare = { imageId, engineRuntime, command: stdinCommand(row), env: row.env, profileFile: house.profileFile };
      const dockerRun = async (): Promise<readonly number[]> => {
        const started = performance.now();
        check(await docker(house.engineUrl, dockerRunArgs(bare), code));
        return [performance.now() - started];
      };
      const cold = async (): Promise<readonly number[]> => {
        const { printed, tookMs } = await coldRun(house.api, bare, code);
        check(printed);
        return [tookMs];
      };
      const warm = async (): Promise<readonly number[]> => {
        const started = performance.now();
        const printed = await run();
        const tookMs = performance.now() - started;
        check(printed);
        await ready();
        return [tookMs];
      };
      await ready();
      races.push(
        await race(`${isolation}: one line of ${row.runtime}`, 'ms', rounds, [
          { name: 'warm, trusted', measure: warm },
          { name: 'cold, engine API', measure: cold },
          {
            name: `docker run --rm --runtime=${engineRuntime}`,
            measure: dockerRun,
            aim: { text: `<= ${aim}`, holds: (ratio) => ratio <= aim },
          },
        ]),
      );
    }
    return races;
  } finally {
    await house.close();
  }
}

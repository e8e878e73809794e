import { openAppStarter } from './appProcess.ts';
import type { Running } from './process.ts';
import { type Race, race } from './race.ts';

/**
 * From spawning to the ready line with a new data folder, against an empty Electron app from spawning to its first loaded
 * window. The vault waits for its owner: a passphrase from a file would add its key derivation, which is slow on purpose.
 */
export async function benchReady(rounds: number): Promise<Race> {
  const apps = await openAppStarter();
  const timed = async (start: () => Promise<Running>): Promise<readonly number[]> => {
    const started = performance.now();
    const app = await start();
    const tookMs = performance.now() - started;
    await app.stop();
    return [tookMs];
  };
  try {
    return await race('ready line', 'ms', rounds, [
      { name: 'ours', measure: () => timed(() => apps.ours({})) },
      {
        name: 'empty app',
        measure: () => timed(apps.empty),
        aim: { text: '<= 1.5', holds: (ratio) => ratio <= 1.5 },
      },
    ]);
  } finally {
    await apps.close();
  }
}

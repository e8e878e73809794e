import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type EnginePlace, engineProcess, gvisorConfig, untilEngine } from './engineProcess.ts';
import type { EngineSocket } from './engineSocket.ts';

const usesOtherConfig = (command: readonly string[]): boolean =>
  command.some((part) => part === '--config-file' || part.startsWith('--config-file='));

const isThere = (error: NodeJS.ErrnoException): false => {
  if (error.code !== 'EEXIST') throw error;
  return false;
};

/**
 * Gives a running engine of this machine the runtime `runsc` for as long as it runs: an engine reads its configuration
 * again on SIGHUP without touching its containers, and the file is taken away afterwards, because it is not ours to
 * leave there. A configuration that the machine already has is never changed: then the answer says why not.
 */
export const registerGvisor = async (place: EnginePlace): Promise<EngineSocket | string> => {
  const engine = await engineProcess(place);
  if (!engine) return 'its process is not to be found';
  if (usesOtherConfig(engine.command)) return 'it was started with a configuration of its own';
  await mkdir(path.dirname(place.configFile), { recursive: true });
  const written = await writeFile(place.configFile, gvisorConfig, { flag: 'wx' }).then(() => true, isThere);
  if (!written) return `${place.configFile} is there and does not register runsc with --network=none`;
  try {
    process.kill(engine.pid, 'SIGHUP');
    return (
      (await untilEngine(place.url, ({ runtimes }) => (runtimes.runsc ?? []).length > 0)) ??
      'it did not take the runtime over'
    );
  } finally {
    await rm(place.configFile, { force: true });
  }
};

import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runnerOutput, sandboxFiles } from '../../build/runnerBundle.ts';
import { root } from './checkout.ts';

/** The file is touched only when its bytes change, and then as a whole. */
const bring = async (file: string, bytes: Uint8Array): Promise<void> => {
  const present = await readFile(file).catch(() => null);
  if (present?.equals(bytes)) return;
  const next = `${file}.${randomBytes(6).toString('hex')}`;
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(next, bytes);
  await rename(next, file);
};

/**
 * Brings the runner in out/ up to date, with what stands beside it, without a build of the whole app, and gives its
 * path. Bundling takes less time than finding out whether it is needed.
 */
export const ensureRunnerBuilt = async (): Promise<string> => {
  for (const [name, bytes] of Object.entries(await sandboxFiles(root)))
    await bring(path.join(root, 'out', name), bytes);
  return path.join(root, 'out', runnerOutput);
};

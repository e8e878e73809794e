import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bundleRunner, runnerOutput } from '../../build/runnerBundle.ts';
import { root } from './checkout.ts';

/**
 * Brings the runner in out/ up to date, without a build of the whole app, and gives its path. Bundling takes less time
 * than finding out whether it is needed; the file is touched only when its bytes change, and then as a whole.
 */
export const ensureRunnerBuilt = async (): Promise<string> => {
  const file = path.join(root, 'out', runnerOutput);
  const code = await bundleRunner(root);
  if ((await readFile(file, 'utf8').catch(() => '')) === code) return file;
  const next = `${file}.${randomBytes(6).toString('hex')}`;
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(next, code);
  await rename(next, file);
  return file;
};

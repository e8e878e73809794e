import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { root, SetupError, say } from './checkout.ts';
import { run } from './command.ts';
import { exclusively } from './exclusive.ts';

/** Everything the bundles are made of. */
export const sources = [
  'contract',
  'main',
  'build',
  'preload',
  'renderer',
  'sandbox',
  'electron.vite.config.ts',
  'package.json',
  'package-lock.json',
];
const output = path.join(root, 'out');
const stampFile = path.join(output, 'built-from');

const filesUnder = async (relative: string): Promise<readonly string[]> => {
  const info = await stat(path.join(root, relative)).catch(() => undefined);
  if (!info) return [];
  if (!info.isDirectory()) return [relative];
  const entries = await readdir(path.join(root, relative), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.includes('.test.'))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
};

/** Changes with every changed, added or removed source file; reads no contents, so it is asked at each start. */
const sourceStamp = async (): Promise<string> => {
  const files = (await Promise.all(sources.map(filesUnder))).flat().sort();
  const facts = await Promise.all(
    files.map(async (file) => {
      const { size, mtimeMs } = await stat(path.join(root, file));
      return `${file}\0${size}\0${mtimeMs}`;
    }),
  );
  return createHash('sha256').update(facts.join('\n')).digest('hex');
};

const nextOutput = `${output}.next`;

/** Put in place as a whole: an app that runs from out/ meanwhile never finds a half-written folder. */
const replaceOutput = async (): Promise<void> => {
  const previous = `${output}.previous`;
  await rm(previous, { recursive: true, force: true });
  await rename(output, previous).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rename(nextOutput, output);
  await rm(previous, { recursive: true, force: true });
};

/** Builds out/ unless it was built from exactly the present sources. Throws SetupError with the builder's words. */
export const ensureBuilt = (): Promise<void> =>
  exclusively(root, async () => {
    const stamp = await sourceStamp();
    if ((await readFile(stampFile, 'utf8').catch(() => '')) === stamp) return;
    say('Building the app ...');
    await rm(nextOutput, { recursive: true, force: true });
    const builder = path.join(root, 'node_modules/electron-vite/bin/electron-vite.js');
    const args = [builder, 'build', '--logLevel', 'warn', '--outDir', nextOutput];
    const built = await run(process.execPath, args, { cwd: root });
    if (built.code !== 0) throw new SetupError(`The build failed:\n${built.stdout}${built.stderr}`);
    await writeFile(path.join(nextOutput, path.basename(stampFile)), stamp);
    await replaceOutput();
  });

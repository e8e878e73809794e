/** `node scripts/layers.ts`: fails when an import crosses the walls of the house (scripts/layers/rooms.ts). */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { forbiddenImports, type SourceFile } from './layers/rule.ts';
import { root, say } from './setup/checkout.ts';

const folders = ['contract', 'main', 'preload', 'renderer', 'cli', 'sandbox'];
/** Tests stand beside the source but may borrow from anywhere. */
const isTest = (name: string): boolean => /\.(test|contract)\.tsx?$/.test(name);

const sourcesOf = async (folder: string): Promise<readonly SourceFile[]> => {
  const entries = await readdir(path.join(root, folder), { recursive: true });
  const names = entries.filter((name) => /\.tsx?$/.test(name) && !isTest(name));
  return Promise.all(
    names.map(async (name) => ({
      file: path.posix.join(folder, ...name.split(path.sep)),
      text: await readFile(path.join(root, folder, name), 'utf8'),
    })),
  );
};

const forbidden = forbiddenImports((await Promise.all(folders.map(sourcesOf))).flat());
forbidden.forEach(say);
say(forbidden.length === 0 ? 'layers: every import is allowed' : `layers: ${forbidden.length} forbidden imports`);
process.exitCode = forbidden.length === 0 ? 0 : 1;

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';

const root = path.join(import.meta.dirname, '../..');

/** Every source of the app as it is built, tests left out. */
async function sources(): Promise<ReadonlyMap<string, string>> {
  const folders = ['main', 'preload', 'renderer', 'contract'];
  const lists = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(path.join(root, folder), { recursive: true })).map((name) => path.join(folder, name)),
    ),
  );
  const names = lists.flat().filter((name) => /\.tsx?$/.test(name) && !/\.(test|contract)\.tsx?$/.test(name));
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(path.join(root, name), 'utf8')] as const)),
  );
}

const using = (files: ReadonlyMap<string, string>, words: RegExp): readonly string[] =>
  [...files].filter(([, text]) => words.test(text)).map(([name]) => name);

// What is not called cannot be tried; what a page might do by itself is tried in tests/e2e/windowWalls.test.ts.
it.each([
  ['O244 opens no address, file or folder outside itself', /\bopenExternal\b|\bopenPath\b|\bshowItemInFolder\b/],
  ['O244 draws no link', /<a\s|href=/],
  ['O245 takes no link of the system', /\bsetAsDefaultProtocolClient\b|'open-url'|'open-file'/],
  ['O250 does not replace itself', /\bautoUpdater\b|electron-updater/],
  ['O239 makes no markup of text', /\bdangerouslySetInnerHTML\b|\.innerHTML\b|\binsertAdjacentHTML\b/],
])('%s', async (_what, words) => {
  const files = await sources();
  expect(files.size).toBeGreaterThan(300);
  expect(using(files, words)).toEqual([]);
});

it('O249 has one place that reaches the clipboard', async () => {
  expect(using(await sources(), /\bclipboard\.\w+\(/)).toEqual([path.join('main', 'desktop', 'desktop.ts')]);
});

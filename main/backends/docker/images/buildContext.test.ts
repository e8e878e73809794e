import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { unpackTar } from 'modern-tar';
import { describe, expect, it } from 'vitest';
import { imageBasis } from '../imageBasis.ts';
import { runtimeTable } from '../runtimeTable.ts';
import { buildContext, contextArchive } from './buildContext.ts';
import type { ImageWish } from './ports.ts';

const folder = fileURLToPath(new URL('../../../../sandbox/images', import.meta.url));
const bytes = new TextEncoder().encode('text');

const wishFor = (runtime: string, own: ImageWish['own'] = {}): ImageWish => {
  const row = runtimeTable.find((each) => each.runtime === runtime);
  if (row === undefined) throw new Error(`no row for ${runtime}`);
  return { row, variant: 'sealed', runner: { bytes, sha256: '' }, own, recipe: '' };
};

describe('What a Dockerfile can copy', () => {
  it('is its folder, what all images share, the runner, and the own files of the row', async () => {
    expect(Object.keys(await buildContext(folder, wishFor('python'))).sort()).toEqual([
      'Dockerfile',
      'prepare.mjs',
      'runner.mjs',
      'sitecustomize.py',
    ]);
    const quickjs = await buildContext(folder, wishFor('quickjs', { '/app/quickjs.mjs': bytes }));
    expect(Object.keys(quickjs)).toContain('own/app/quickjs.mjs');
  });

  it('is an archive that nobody can write to, the same bytes each time', async () => {
    const context = await buildContext(folder, wishFor('quickjs', { '/app/quickjs.mjs': bytes }));
    const archives = await Promise.all([contextArchive(context), contextArchive(context)]);
    const [first, second] = await Promise.all(archives.map(async (archive) => Buffer.concat(await archive.toArray())));
    expect(first?.equals(second ?? Buffer.alloc(0))).toBe(true);
    const entries = await unpackTar(first ?? Buffer.alloc(0));
    for (const { header } of entries) {
      expect(header).toMatchObject({ uid: 0, gid: 0, mode: header.type === 'directory' ? 0o755 : 0o644 });
    }
    expect(entries.map(({ header }) => header.name.replace(/\/$/, ''))).toContain('own/app');
  });
});

/** Of all files in sandbox/images. When it changes, images have to be made anew: raise recipeFormat in recipe.ts. */
const imagesDigest = 'daf21e2d697b26c782dab741e95e9b2dd093153f2466683113b385d8d301d464';

describe('The Dockerfiles', () => {
  it('prepare an image for the user and the node that containers are started with', async () => {
    const text = await readFile(path.join(folder, 'prepare.mjs'), 'utf8');
    expect(text).toContain(`\nconst node = '${imageBasis.node.to}';\nconst user = ${imageBasis.user};\n`);
  });

  it('are those that the present recipe format stands for', async () => {
    const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
      .sort();
    const hash = createHash('sha256');
    for (const name of names) hash.update(`${name}\n`).update(await readFile(path.join(folder, name)));
    expect(hash.digest('hex')).toBe(imagesDigest);
  });

  it.each(runtimeTable.map((row) => row))('work with the classic builder and with BuildKit: $runtime', async (row) => {
    const text = await readFile(`${folder}/${row.image.dockerfile}`, 'utf8');
    const [head = '', ...stages] = text.split(/^FROM /m);
    const named = [...head.matchAll(/^ARG (\w+)$/gm)].map(([, name]) => name).sort();
    expect(named).toEqual(Object.keys(row.image.publicImages).sort());
    expect(text).not.toMatch(/^# *syntax/m);
    expect(text).not.toMatch(/--chmod|--mount|<</);
    // A variable is no name of a stage, and nothing but a public image or a stage may be built on.
    for (const stage of stages) expect(stage).toMatch(/^\$\{\w+\}( AS [a-z]+)?\n/);
    for (const [, rest] of text.matchAll(/^RUN (.*)$/gm)) expect(JSON.parse(rest ?? '')).toBeInstanceOf(Array);
    for (const [, from] of text.matchAll(/--from=(\S+)/g)) expect(text).toContain(` AS ${from}\n`);
    expect(text).toContain(`RUN ["${imageBasis.node.to}", "/app/prepare.mjs"`);
    expect(text).toContain(`\nCOPY runner.mjs ${imageBasis.runner}\n`);
    expect(text).toContain(`\nUSER ${imageBasis.user}:${imageBasis.user}\n`);
  });
});

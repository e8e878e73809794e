import { chmod, link, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { unpackTar } from 'modern-tar';
import { afterEach, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../core/digest.ts';
import { layerEntries, writeLayer } from './layerTar.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** A layer's folder whose files were made in the given order. */
const rootWith = async (names: readonly string[]): Promise<string> => {
  const root = await mkdtemp(path.join(tmpdir(), 'oauth3-layer-'));
  folders.push(root);
  await mkdir(path.join(root, 'usr/bin'), { recursive: true });
  await mkdir(path.join(root, 'tmp'));
  for (const name of names) await writeFile(path.join(root, name), name);
  await symlink('tool', path.join(root, 'usr/bin/alias'));
  await link(path.join(root, 'usr/b'), path.join(root, 'usr/c'));
  return root;
};

const programs = new Set(['usr/bin/tool']);
const pack = async (root: string) => {
  const file = path.join(root, '..', `${path.basename(root)}.tar`);
  folders.push(file);
  const made = await writeLayer(root, await layerEntries(root, programs), 0o711, file, AbortSignal.timeout(5_000));
  return { made, bytes: await readFile(file) };
};

describe('a layer', () => {
  it('is the same bytes whatever order, time and mode its files were made with', async () => {
    const first = await rootWith(['usr/bin/tool', 'usr/a', 'usr/b']);
    const second = await rootWith(['usr/b', 'usr/a', 'usr/bin/tool']);
    await chmod(path.join(second, 'usr/a'), 0o4777);
    await chmod(path.join(second, 'usr/bin'), 0o700);
    await utimes(path.join(second, 'usr/a'), 1, 1);
    const [one, two] = [await pack(first), await pack(second)];
    expect(two.made).toEqual(one.made);
    expect(two.bytes.equals(one.bytes)).toBe(true);
    expect(one.made).toEqual({ diffId: `sha256:${sha256Hex(one.bytes)}`, size: one.bytes.length });
  });

  it('belongs to root, and nothing in it can be executed or is setuid except its programs', async () => {
    const root = await rootWith(['usr/bin/tool', 'usr/a', 'usr/b']);
    await chmod(path.join(root, 'usr/a'), 0o6755);
    const entries = await unpackTar((await pack(root)).bytes);
    const modes = Object.fromEntries(entries.map(({ header }) => [header.name, header.mode?.toString(8)]));
    expect(modes).toMatchObject({
      'usr/a': '644',
      'usr/b': '644',
      'usr/bin/tool': '711',
      'usr/bin/': '755',
      'tmp/': '1777',
    });
    expect(new Set(entries.map(({ header }) => `${header.uid}:${header.gid}`))).toEqual(new Set(['0:0']));
  });
});

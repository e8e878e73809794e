import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { unpackTar } from 'modern-tar';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../core/digest.ts';
import { runtimeTable } from '../runtimeTable.ts';
import { archiveStream, imageArchive, type Layer } from './imageArchive.ts';
import { imageWish } from './recipe.ts';

const [row] = runtimeTable;
if (row === undefined) throw new Error('no rows');
const runner = new TextEncoder().encode('runner');
const wish = imageWish(row, 'sealed', { runner: { bytes: runner, sha256: sha256Hex(runner) }, own: {} });

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'oauth3-archive-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const layerOf = async (label: string): Promise<Layer> => {
  const file = path.join(folder, label);
  await writeFile(file, label);
  return { label, file, diffId: `sha256:${sha256Hex(label)}`, size: label.length };
};

describe('an image as an archive', () => {
  it('has an id that is the digest of its settings, and layers in their order', async () => {
    const archive = imageArchive(wish, 'x64', [await layerOf('lower'), await layerOf('upper')]);
    const entries = await unpackTar(await buffer(archiveStream(archive)));
    const contents = new Map(entries.map(({ header, data }) => [header.name, Buffer.from(data ?? []).toString()]));
    const [manifest] = JSON.parse(contents.get('manifest.json') ?? '[]');
    expect(manifest.RepoTags).toEqual([`oauth3/sandbox-deno:sealed-${wish.recipe.slice(0, 12)}`]);
    expect(manifest.Layers.map((name: string) => contents.get(name))).toEqual(['lower', 'upper']);
    const config = contents.get(manifest.Config) ?? '';
    expect(`sha256:${sha256Hex(config)}`).toBe(archive.id);
    expect(JSON.parse(config)).toMatchObject({
      architecture: 'amd64',
      os: 'linux',
      rootfs: { diff_ids: [`sha256:${sha256Hex('lower')}`, `sha256:${sha256Hex('upper')}`] },
      config: { User: '65532:65532', Labels: { 'oauth3.recipe': wish.recipe, 'oauth3.variant': 'sealed' } },
    });
  });

  it('has another id when a layer is another', async () => {
    const [one, two] = [await layerOf('one'), await layerOf('two')];
    const ids = [[one], [two], [one, two]].map((layers) => imageArchive(wish, 'x64', layers).id);
    expect(new Set(ids).size).toBe(3);
    expect(imageArchive(wish, 'x64', [one]).id).toBe(ids[0]);
  });
});

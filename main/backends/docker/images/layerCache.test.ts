import { chown, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LayerCache } from './layerCache.ts';
import type { LayerPlan } from './layerPlan.ts';
import { ImageError } from './ports.ts';

const plan: LayerPlan = {
  label: 'node',
  key: 'key',
  npm: [],
  debian: [],
  files: {},
  programs: [],
  programMode: 0o755,
  folders: [],
};
const diffId = `sha256:${'0'.repeat(64)}`;
const made = JSON.stringify({ diffId, size: 5 });

let folder = '';
let place = '';
let cache: LayerCache;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'oauth3-layers-'));
  place = path.join(folder, 'images');
  cache = new LayerCache(place);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function layerWith(json: string): Promise<void> {
  await mkdir(path.join(place, plan.key), { recursive: true });
  await writeFile(path.join(place, plan.key, 'layer.tar'), '12345');
  await writeFile(path.join(place, plan.key, 'made.json'), json);
}

describe('the cache of layers', () => {
  it('finds a layer that is whole', async () => {
    await layerWith(made);
    expect(await cache.find(plan)).toEqual({
      label: 'node',
      file: path.join(place, 'key', 'layer.tar'),
      diffId,
      size: 5,
    });
  });

  it.each(['', made.slice(0, 20), '{}', 'null'])('takes one whose description is %j for none', async (text) => {
    await layerWith(text);
    expect(await cache.find(plan)).toBeNull();
  });

  it.skipIf(process.platform === 'win32')('is a folder that nobody else may enter', async () => {
    await cache.withBench(async () => {});
    expect((await stat(place)).mode & 0o777).toBe(0o700);
  });

  it.skipIf(process.getuid?.() !== 0)('is not used when it is the folder of another user', async () => {
    await mkdir(place);
    await chown(place, 65_532, 65_532);
    let began = false;
    const using = cache.withBench(async () => {
      began = true;
    });
    await expect(using).rejects.toThrow(ImageError);
    await expect(using).rejects.toThrow(/belongs to another user/);
    expect(began).toBe(false);
  });
});

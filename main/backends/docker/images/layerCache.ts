import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { DebianPackages } from './debianPackages.ts';
import type { Layer } from './imageArchive.ts';
import { bakeLayer } from './layerBake.ts';
import type { LayerPlan } from './layerPlan.ts';
import { ImageError } from './ports.ts';

const madeSchema = z.object({ diffId: z.string().regex(/^sha256:[0-9a-f]{64}$/), size: z.number().int().positive() });
const leftoverAgeMs = 60 * 60_000;
const working = 'making-';

/**
 * Finished layers as folders named by their plan's key. A layer is made in a folder of its own and put in place by one
 * rename, so there is never half of one; when two processes make the same, the first stays.
 */
export class LayerCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async find(plan: LayerPlan): Promise<Layer | null> {
    const folder = path.join(this.#folder, plan.key);
    const file = path.join(folder, 'layer.tar');
    const made = madeSchema.safeParse(await readJson(path.join(folder, 'made.json')));
    const size = (await stat(file).catch(() => null))?.size;
    // A changed byte is found by the engine, which compares each layer with its digest.
    return made.success && size === made.data.size ? { label: plan.label, file, ...made.data } : null;
  }

  /** The layers of an image; null when one of them is not there. Throws ImageError when the folder is not to be used. */
  async findAll(plans: readonly LayerPlan[]): Promise<readonly Layer[] | null> {
    await this.#open();
    const layers = await Promise.all(plans.map((plan) => this.find(plan)));
    const found = layers.filter((layer) => layer !== null);
    return found.length === layers.length ? found : null;
  }

  async make(plan: LayerPlan, debian: DebianPackages, work: string, signal: AbortSignal): Promise<Layer> {
    const bench = await mkdtemp(path.join(work, 'layer-'));
    const next = path.join(bench, 'done');
    await mkdir(next);
    const made = await bakeLayer(plan, debian, bench, path.join(next, 'layer.tar'), signal);
    await writeFile(path.join(next, 'made.json'), JSON.stringify(made));
    const folder = path.join(this.#folder, plan.key);
    if ((await this.find(plan)) === null) {
      await rm(folder, { recursive: true, force: true });
      await rename(next, folder).catch(async (error: unknown) => {
        if ((await this.find(plan)) === null) throw error;
      });
    }
    return { label: plan.label, file: path.join(folder, 'layer.tar'), ...made };
  }

  /** Removes those whose bytes are no longer what they were when they were made. */
  async forgetBroken(layers: readonly Layer[]): Promise<void> {
    for (const { file, diffId } of layers) {
      const hash = createHash('sha256');
      await pipeline(createReadStream(file), hash).catch(() => {});
      if (`sha256:${hash.digest('hex')}` !== diffId) await rm(path.dirname(file), { recursive: true, force: true });
    }
  }

  /** Runs `body` with a folder that is gone afterwards. What a killed process left is removed after an hour. */
  async withBench<Result>(body: (work: string) => Promise<Result>): Promise<Result> {
    await this.#open();
    await this.#sweep();
    const work = await mkdtemp(path.join(this.#folder, working));
    try {
      return await body(work);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }

  /** Throws ImageError when the folder is somebody else's, who could change a layer between two looks at it. */
  async #open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const { uid } = await stat(this.#folder);
    const own = process.getuid?.();
    if (own === undefined || uid === own) return;
    throw new ImageError(
      'The folder `images` in the cache folder belongs to another user, so nothing of it is used. Remove it',
    );
  }

  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      if (!name.startsWith(working)) continue;
      const folder = path.join(this.#folder, name);
      const age = Date.now() - ((await stat(folder).catch(() => null))?.mtimeMs ?? Date.now());
      if (age > leftoverAgeMs) await rm(folder, { recursive: true, force: true });
    }
  }
}

/** What stands in the file; null when that is no JSON (a torn file) or there is none. */
async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return null;
  }
}

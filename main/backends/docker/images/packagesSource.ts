import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { type EngineApi, EngineError } from '../engineApi.ts';
import { DebianPackages, debianRelease } from './debianPackages.ts';
import { type EnginePlatform, enginePlatform } from './enginePlatform.ts';
import { archiveStream, engineArchitecture, type ImageArchive, imageArchive, type Layer } from './imageArchive.ts';
import { LayerCache } from './layerCache.ts';
import { type Architecture, layerPlans } from './layerPlan.ts';
import { ImageError, type ImageProgress, type ImageSource, type ImageWish } from './ports.ts';

type Engine = Pick<EngineApi, 'json' | 'send' | 'lines'>;
type Report = (progress: ImageProgress) => void;

const loadLineSchema = z.looseObject({ error: z.string().optional() });
const loadedSchema = z.looseObject({ Id: z.string(), RootFS: z.looseObject({ Layers: z.array(z.string()) }) });
const infoSchema = z.looseObject({ DriverStatus: z.array(z.array(z.string())).nullish() });

/** The release whose packages the rows of the runtime table name. */
const release = 'bookworm';
const loadLimitMs = 10 * 60_000;

/**
 * Makes images from npm and Debian packages, for machines that reach no registry of images. The same packages give the
 * same image, byte for byte, and its id is known before the engine has it.
 */
export class PackagesSource implements ImageSource {
  readonly name = 'packages';
  readonly #engine: Engine;
  readonly #layers: LayerCache;

  /** `cacheDir` holds finished layers (some 300 MB) and is safe to delete. */
  constructor(engine: Engine, cacheDir: string) {
    this.#engine = engine;
    this.#layers = new LayerCache(cacheDir);
  }

  /** From the layers of the cache. */
  async idOf(wish: ImageWish, platform: EnginePlatform): Promise<string | null> {
    try {
      const architecture = architectureFor(platform);
      const layers = await this.#layers.findAll(layerPlans(wish, architecture));
      return layers === null ? null : imageArchive(wish, architecture, layers).id;
    } catch (error) {
      if (error instanceof ImageError) return null;
      throw error;
    }
  }

  async make(wish: ImageWish, report: Report, signal: AbortSignal): Promise<string> {
    if ((await debianRelease()) !== release) {
      throw new ImageError('It can be made from packages on Debian 12 only, and this machine runs something else');
    }
    const architecture = architectureFor(await enginePlatform(this.#engine));
    const plans = layerPlans(wish, architecture);
    const steps = plans.length + 1;
    const layers = await this.#layers.withBench(async (work) => {
      const debian = new DebianPackages(work, signal);
      const made: Layer[] = [];
      for (const [index, plan] of plans.entries()) {
        const found = await this.#layers.find(plan);
        if (found === null) report({ step: `fetching ${plan.label} (${index + 1} of ${steps})`, done: null });
        made.push(found ?? (await this.#layers.make(plan, debian, work, signal)));
      }
      return made;
    });
    const archive = imageArchive(wish, architecture, layers);
    try {
      await this.#load(archive, (done) => report({ step: `loading it (${steps} of ${steps})`, done }), signal);
    } catch (error) {
      // A layer of the cache that is not what it was: the next try makes it anew.
      const refused = error instanceof ImageError || (error instanceof EngineError && error.status >= 400);
      if (refused && !signal.aborted) await this.#layers.forgetBroken(layers);
      throw error;
    }
    return this.#verify(archive);
  }

  async #load(archive: ImageArchive, report: (done: number) => void, signal: AbortSignal): Promise<void> {
    const total = archive.layers.reduce((sum, { size }) => sum + size, 0);
    let sent = 0;
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        sent += chunk.length;
        report(Math.min(1, sent / total));
        done(null, chunk);
      },
    });
    const feeding = pipeline(archiveStream(archive), counted, { signal }).catch(() => {});
    try {
      const call = { method: 'POST', path: '/images/load', query: { quiet: '1' }, timeoutMs: loadLimitMs } as const;
      for await (const line of this.#engine.lines({ ...call, archive: counted, signal })) {
        const said = loadLineSchema.safeParse(line);
        if (said.success && said.data.error !== undefined)
          throw new ImageError(`The engine did not take it: ${said.data.error}`);
      }
    } finally {
      counted.destroy();
      await feeding;
    }
  }

  /** The engine must now have exactly what was made; else the image is removed. Throws ImageError. */
  async #verify(archive: ImageArchive): Promise<string> {
    const path = `/images/${archive.tag}`;
    const loaded = await this.#engine.json({ method: 'GET', path: `${path}/json` }, loadedSchema);
    if (loaded.Id === archive.id) return loaded.Id;
    // With containerd's image store an id is the digest of the manifest, which the engine writes itself; what stays
    // comparable is the layers. (By its documentation; not run.)
    const expected = archive.layers.map(({ diffId }) => diffId);
    const sameLayers = JSON.stringify(loaded.RootFS.Layers) === JSON.stringify(expected);
    if (sameLayers && (await this.#hasContainerdStore())) return loaded.Id;
    await this.#engine.send({ method: 'DELETE', path, query: { force: '1' } }).catch((error: unknown) => {
      if (!(error instanceof EngineError)) throw error;
    });
    throw new ImageError('The engine made another image than the one that was given to it; it was removed');
  }

  async #hasContainerdStore(): Promise<boolean> {
    const { DriverStatus } = await this.#engine.json({ method: 'GET', path: '/info' }, infoSchema);
    return (DriverStatus ?? []).some(([, value]) => value?.startsWith('io.containerd.snapshotter.') === true);
  }
}

/** Layers hold programs of this machine's architecture, so the engine must have the same. Throws ImageError. */
function architectureFor({ os, architecture: wanted }: EnginePlatform): Architecture {
  const architecture = process.arch === 'x64' || process.arch === 'arm64' ? process.arch : null;
  if (architecture === null || os !== 'linux' || engineArchitecture[architecture] !== wanted) {
    throw new ImageError(`Images for ${os}/${wanted} cannot be made from packages on this machine (${process.arch})`);
  }
  return architecture;
}

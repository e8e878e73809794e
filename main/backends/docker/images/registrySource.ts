import { z } from 'zod';
import { type EngineApi, EngineError } from '../engineApi.ts';
import { buildContext, contextArchive } from './buildContext.ts';
import { imageLabels, imageTag } from './imageLabels.ts';
import { ImageError, type ImageProgress, type ImageSource, type ImageWish } from './ports.ts';
import { publicImage } from './publicImage.ts';
import { hasPublicImage, type PullPatience, pullPublicImage } from './publicPull.ts';

type Engine = Pick<EngineApi, 'json' | 'lines'>;
type Report = (progress: ImageProgress) => void;

const buildLineSchema = z.looseObject({
  error: z.string().optional(),
  aux: z.looseObject({ ID: z.string().optional() }).optional(),
});

const usualPatience: PullPatience = { firstMs: 20_000, nextMs: 60_000 };
/** Between two lines of the builder, and before the first (ms): copying a program of 120 MB on a slow disk. */
const builderLimitMs = 10 * 60_000;

/** Mode of the runner's node. */
const nodeMode = { sealed: '0711', readable: '0755' } as const;

/**
 * Makes images on public ones that are named by digest. The engine fetches those and builds, without a network for what
 * runs in between. What comes out is not the same byte for byte each time: its id is known when it is there.
 */
export class RegistrySource implements ImageSource {
  readonly name = 'registry';
  readonly #engine: Engine;
  readonly #folder: string;
  readonly #patience: PullPatience;

  /** `folder`: absolute path of sandbox/images. */
  constructor(engine: Engine, folder: string, patience: PullPatience = usualPatience) {
    this.#engine = engine;
    this.#folder = folder;
    this.#patience = patience;
  }

  async idOf(): Promise<null> {
    return null;
  }

  async make(wish: ImageWish, report: Report, signal: AbortSignal): Promise<string> {
    const images = Object.entries(wish.row.image.publicImages).map(([argument, text]) => ({
      argument,
      image: publicImage(text),
    }));
    if (images.length === 0) throw new ImageError(`The row of ${wish.row.runtime} names no public image to build on`);
    const steps = images.length + 1;
    for (const [index, { image }] of images.entries()) {
      if (await hasPublicImage(this.#engine, image)) continue;
      const step = `fetching ${image.label} (${index + 1} of ${steps})`;
      report({ step, done: null });
      await pullPublicImage(this.#engine, image, this.#patience, (done) => report({ step, done }), signal);
    }
    report({ step: `building it (${steps} of ${steps})`, done: null });
    const references = Object.fromEntries(images.map(({ argument, image }) => [argument, image.reference]));
    return this.#build(wish, references, signal);
  }

  async #build(wish: ImageWish, references: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string> {
    const query = {
      t: imageTag(wish),
      dockerfile: 'Dockerfile',
      buildargs: JSON.stringify({ ...references, NODE_MODE: nodeMode[wish.variant] }),
      labels: JSON.stringify(imageLabels(wish)),
      networkmode: 'none',
      // Also after a step that failed, and when we hang up.
      rm: '1',
      forcerm: '1',
    };
    const archive = await contextArchive(await buildContext(this.#folder, wish));
    let id: string | null = null;
    try {
      const call = { method: 'POST', path: '/build', query, archive, timeoutMs: builderLimitMs, signal } as const;
      for await (const value of this.#engine.lines(call)) {
        const line = buildLineSchema.safeParse(value);
        if (!line.success) continue;
        if (line.data.error !== undefined) throw refused(wish, line.data.error);
        id = line.data.aux?.ID ?? id;
      }
    } catch (error) {
      if (signal.aborted) throw new ImageError('It was stopped');
      if (error instanceof EngineError && error.status !== 0) throw refused(wish, error.message);
      if (error instanceof EngineError || error instanceof ImageError) throw error;
      throw new EngineError(0, 'The container engine broke off while it built an image');
    } finally {
      archive.destroy();
    }
    if (id === null) throw refused(wish, 'it did not say what it built');
    return id;
  }
}

const refused = ({ row }: ImageWish, why: string): ImageError =>
  new ImageError(`The container engine could not build the image for ${row.runtime}: ${why}`);

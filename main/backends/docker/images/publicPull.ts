import { z } from 'zod';
import { type EngineApi, EngineError } from '../engineApi.ts';
import { IdleLimit } from './idleLimit.ts';
import { ImageError } from './ports.ts';
import { isAmong, type PublicImage } from './publicImage.ts';
import { PullProgress, pullLine } from './pullProgress.ts';

type Engine = Pick<EngineApi, 'json' | 'lines'>;

/** How long a pull may stand still: before anything came, and later, when layers are unpacked on a slow disk (ms). */
export type PullPatience = Readonly<{ firstMs: number; nextMs: number }>;

const imageSchema = z.looseObject({ RepoDigests: z.array(z.string()).nullish() });

/** Whether the engine has the image. */
export async function hasPublicImage(engine: Engine, image: PublicImage): Promise<boolean> {
  try {
    const path = `/images/${image.reference}/json`;
    const { RepoDigests } = await engine.json({ method: 'GET', path }, imageSchema);
    return isAmong(image, RepoDigests ?? []);
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return false;
    throw error;
  }
}

/**
 * Lets the engine fetch the image by its digest, which it verifies, and looks afterwards whether it is that one. Throws
 * ImageError, in words for the owner.
 */
export async function pullPublicImage(
  engine: Engine,
  image: PublicImage,
  patience: PullPatience,
  report: (done: number | null) => void,
  signal: AbortSignal,
): Promise<void> {
  const failed = (why: string) =>
    new ImageError(`The public image ${image.label} (${image.name}) could not be fetched: ${why}`);
  const idle = new IdleLimit(patience.firstMs);
  const progress = new PullProgress();
  try {
    const lines = engine.lines({
      method: 'POST',
      path: '/images/create',
      query: { fromImage: image.name, tag: image.digest },
      // Longer than our own limit, which says it better.
      timeoutMs: patience.firstMs + patience.nextMs,
      signal: AbortSignal.any([signal, idle.signal]),
    });
    for await (const value of lines) {
      const line = pullLine(value);
      if (line === null) continue;
      if (line.error !== undefined) throw failed(withoutResolver(line.error));
      if (progress.take(line)) idle.alive(patience.nextMs);
      report(progress.done);
    }
  } catch (error) {
    if (signal.aborted) throw new ImageError('It was stopped');
    if (idle.isOver)
      throw failed(
        `nothing came from its registry for ${Math.round((progress.hasBegun ? patience.nextMs : patience.firstMs) / 1000)} seconds`,
      );
    if (error instanceof EngineError && error.status !== 0) throw failed(withoutResolver(error.message));
    if (error instanceof EngineError || error instanceof ImageError) throw error;
    throw new EngineError(0, 'The container engine broke off while it fetched an image');
  } finally {
    idle.end();
  }
  if (!(await hasPublicImage(engine, image))) throw failed('the engine has something else now, which is not used');
}

/** The reason is also told to agents, and they have no business with addresses of this network. */
function withoutResolver(text: string): string {
  return text.replace(/(lookup \S+) on \S+:\d+/g, '$1');
}

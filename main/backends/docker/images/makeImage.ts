import { EngineError } from '../engineApi.ts';
import { ImageError, type ImageProgress, type ImageSource, type ImageWish } from './ports.ts';

export type MadeImage = Readonly<{ id: string; source: ImageSource['name'] }>;

/** Tries the sources in their order. Throws ImageError with the reasons of all of them, EngineError when
 * the engine does not answer, or what `signal` was stopped for. */
export async function makeImage(
  sources: readonly ImageSource[],
  wish: ImageWish,
  report: (progress: ImageProgress) => void,
  signal: AbortSignal,
): Promise<MadeImage> {
  const reasons: string[] = [];
  for (const source of sources) {
    signal.throwIfAborted();
    try {
      const obstacle = await source.obstacle();
      if (obstacle === null) return { id: await source.make(wish, report, signal), source: source.name };
      reasons.push(obstacle);
    } catch (error) {
      signal.throwIfAborted();
      const isRefusal = error instanceof ImageError || (error instanceof EngineError && error.status !== 0);
      // An engine that does not answer does not answer the next source either.
      if (!isRefusal) throw error;
      reasons.push(error.message);
    }
  }
  throw new ImageError(reasons.join('; '));
}

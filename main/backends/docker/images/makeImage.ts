import { type EngineApi, EngineError } from '../engineApi.ts';
import { enginePlatform } from './enginePlatform.ts';
import { faultAt } from './imageCheck.ts';
import { ImageError, type ImageProgress, type ImageSource, type ImageWish } from './ports.ts';

export type MadeImage = Readonly<{ id: string; source: ImageSource['name'] }>;

/**
 * Tries the sources in their order. What comes out must be what was wished for; else it is removed. Throws ImageError
 * with the reasons of all of them, EngineError when the engine does not answer, or what `signal` was stopped for.
 */
export async function makeImage(
  engine: Pick<EngineApi, 'json' | 'send'>,
  sources: readonly ImageSource[],
  wish: ImageWish,
  report: (progress: ImageProgress) => void,
  signal: AbortSignal,
): Promise<MadeImage> {
  const reasons: string[] = [];
  for (const source of sources) {
    signal.throwIfAborted();
    try {
      const id = await source.make(wish, report, signal);
      const fault = await faultAt(engine, id, wish, await enginePlatform(engine));
      if (fault === null) return { id, source: source.name };
      await engine.send({ method: 'DELETE', path: `/images/${id}`, query: { force: '1' } });
      throw new ImageError(`What was made from ${madeFrom[source.name]} was removed: ${fault}`);
    } catch (error) {
      signal.throwIfAborted();
      const isRefusal = error instanceof ImageError || (error instanceof EngineError && error.status !== 0);
      // An engine that does not answer does not answer the next source either.
      if (!isRefusal) throw error;
      reasons.push(error.message.replace(/[.\s]+$/, ''));
    }
  }
  throw new ImageError(reasons.join('. '));
}

const madeFrom: Readonly<Record<ImageSource['name'], string>> = { registry: 'public images', packages: 'packages' };

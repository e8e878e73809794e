import { z } from 'zod';
import type { Log } from '../../../core/log.ts';
import type { EngineApi } from '../engineApi.ts';
import { type EnginePlatform, enginePlatform } from './enginePlatform.ts';
import { faultAt } from './imageCheck.ts';
import { recipeLabel } from './imageLabels.ts';
import type { MadeImages } from './madeImages.ts';
import type { ImageSource, ImageWish } from './ports.ts';

const listSchema = z.array(
  z.looseObject({
    Id: z.string(),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
);

type Parts = Readonly<{
  engine: Pick<EngineApi, 'json'>;
  sources: readonly Pick<ImageSource, 'idOf'>[];
  made: MadeImages;
  log: Log;
}>;

/** What the engine has of our images. */
export class PresentImages {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * The images of these wishes that the engine has and that may carry runs. Labels only say which ones to look at, for
   * everybody who may use the engine can write them: an image counts when this installation made it, or when its id says
   * that nothing else can be in it. Throws EngineError.
   */
  async find(wishes: readonly ImageWish[]): Promise<ReadonlyMap<ImageWish, string>> {
    const { engine, log } = this.#parts;
    const filters = JSON.stringify({ label: [recipeLabel] });
    const listed = await engine.json({ method: 'GET', path: '/images/json', query: { filters } }, listSchema);
    const found = new Map<ImageWish, string>();
    if (listed.length === 0) return found;
    const platform = await enginePlatform(engine);
    for (const wish of wishes) {
      const named = listed.filter(({ Labels }) => Labels?.[recipeLabel] === wish.recipe).map(({ Id }) => Id);
      if (named.length === 0) continue;
      const id = await this.#ours(wish, named, platform);
      const fault = id === null ? 'it was not made here' : await faultAt(engine, id, wish, platform);
      if (id !== null && fault === null) found.set(wish, id);
      else log.warn({ images: named, runtime: wish.row.runtime }, `An image with our label is not used: ${fault}`);
    }
    return found;
  }

  async #ours(wish: ImageWish, named: readonly string[], platform: EnginePlatform): Promise<string | null> {
    const { made, sources } = this.#parts;
    const known = made.id(wish.recipe);
    if (known !== null && named.includes(known)) return known;
    for (const source of sources) {
      const id = await source.idOf(wish, platform);
      if (id !== null && named.includes(id)) return id;
    }
    return null;
  }
}

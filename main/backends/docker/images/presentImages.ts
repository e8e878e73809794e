import { z } from 'zod';
import type { Log } from '../../../core/log.ts';
import { type EngineApi, EngineError } from '../engineApi.ts';
import { type ImageFacts, imageFactsSchema, imageFault } from './imageCheck.ts';
import { recipeLabel } from './imageLabels.ts';
import type { MadeImages } from './madeImages.ts';
import type { ImageSource, ImageWish } from './ports.ts';

const listSchema = z.array(
  z.looseObject({
    Id: z.string(),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
);
const versionSchema = z.looseObject({ Arch: z.string() });

type Parts = Readonly<{
  engine: Pick<EngineApi, 'json'>;
  sources: readonly Pick<ImageSource, 'idOf'>[];
  made: MadeImages;
  log: Log;
}>;

/** What the engine has of our images. Methods throw EngineError. */
export class PresentImages {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * The images of these wishes that the engine has and that may carry runs. Labels only say which ones to look at, for
   * everybody who may use the engine can write them: an image counts when this installation made it, or when its id says
   * that nothing else can be in it.
   */
  async find(wishes: readonly ImageWish[]): Promise<ReadonlyMap<ImageWish, string>> {
    const { engine, log } = this.#parts;
    const filters = JSON.stringify({ label: [recipeLabel] });
    const listed = await engine.json({ method: 'GET', path: '/images/json', query: { filters } }, listSchema);
    const found = new Map<ImageWish, string>();
    for (const wish of wishes) {
      const named = listed.filter(({ Labels }) => Labels?.[recipeLabel] === wish.recipe).map(({ Id }) => Id);
      if (named.length === 0) continue;
      const id = await this.#ours(wish, named);
      const fault = id === null ? 'it was not made here' : await this.fault(id, wish);
      if (id !== null && fault === null) found.set(wish, id);
      else log.warn({ images: named, runtime: wish.row.runtime }, `An image with our label is not used: ${fault}`);
    }
    return found;
  }

  async #ours(wish: ImageWish, named: readonly string[]): Promise<string | null> {
    const { made, sources } = this.#parts;
    const known = made.id(wish.recipe);
    if (known !== null && named.includes(known)) return known;
    for (const source of sources) {
      const id = await source.idOf(wish);
      if (id !== null && named.includes(id)) return id;
    }
    return null;
  }

  /** Why it must not carry runs, as part of a sentence. */
  async fault(id: string, wish: ImageWish): Promise<string | null> {
    let facts: ImageFacts;
    try {
      facts = await this.#parts.engine.json({ method: 'GET', path: `/images/${id}/json` }, imageFactsSchema);
    } catch (error) {
      if (error instanceof EngineError && error.status === 404) return 'it is gone';
      throw error;
    }
    const { Arch } = await this.#parts.engine.json({ method: 'GET', path: '/version' }, versionSchema);
    return imageFault(facts, wish, Arch);
  }
}

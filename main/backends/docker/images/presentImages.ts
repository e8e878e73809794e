import { z } from 'zod';
import type { Log } from '../../../core/log.ts';
import { type EngineApi, EngineError } from '../engineApi.ts';
import { type ImageFacts, imageFactsSchema, imageFault } from './imageCheck.ts';
import { recipeLabel } from './imageLabels.ts';
import type { ImageWish } from './ports.ts';

const listSchema = z.array(
  z.looseObject({
    Id: z.string(),
    Labels: z.record(z.string(), z.string()).nullish(),
    RepoTags: z.array(z.string()).nullish(),
  }),
);
const versionSchema = z.looseObject({ Arch: z.string() });

/** What the engine has of our images. Methods throw EngineError. */
export class PresentImages {
  readonly #engine: Pick<EngineApi, 'json'>;
  readonly #log: Log;

  constructor(engine: Pick<EngineApi, 'json'>, log: Log) {
    this.#engine = engine;
    this.#log = log;
  }

  /** The images of these wishes that the engine has and that may carry runs. */
  async find(wishes: readonly ImageWish[]): Promise<ReadonlyMap<ImageWish, string>> {
    const filters = JSON.stringify({ label: [recipeLabel] });
    const listed = await this.#engine.json({ method: 'GET', path: '/images/json', query: { filters } }, listSchema);
    const found = new Map<ImageWish, string>();
    for (const wish of wishes) {
      // Two may have the same recipe; the one that still has its name was made last. After that, any order that stays.
      const candidates = listed
        .filter(({ Labels }) => Labels?.[recipeLabel] === wish.recipe)
        .sort((left, right) => isNamed(right) - isNamed(left) || (left.Id < right.Id ? -1 : 1));
      for (const { Id } of candidates) {
        const fault = await this.fault(Id, wish);
        if (fault === null) {
          found.set(wish, Id);
          break;
        }
        this.#log.warn({ image: Id, runtime: wish.row.runtime }, `An image with our label is not used: ${fault}`);
      }
    }
    return found;
  }

  /** Why it must not carry runs, as part of a sentence. */
  async fault(id: string, wish: ImageWish): Promise<string | null> {
    let facts: ImageFacts;
    try {
      facts = await this.#engine.json({ method: 'GET', path: `/images/${id}/json` }, imageFactsSchema);
    } catch (error) {
      if (error instanceof EngineError && error.status === 404) return 'it is gone';
      throw error;
    }
    const { Arch } = await this.#engine.json({ method: 'GET', path: '/version' }, versionSchema);
    return imageFault(facts, wish, Arch);
  }
}

const isNamed = ({ RepoTags }: Readonly<{ RepoTags?: readonly string[] | null | undefined }>): number =>
  (RepoTags ?? []).length > 0 ? 1 : 0;

import { z } from 'zod';
import { type EngineApi, EngineError } from '../engineApi.ts';
import type { EnginePlatform } from './enginePlatform.ts';
import { imageLabels } from './imageLabels.ts';
import type { ImageWish } from './ports.ts';

/** What the engine says about an image (`GET /images/{id}/json`), as far as it matters here. */
export const imageFactsSchema = z.looseObject({
  Id: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  Architecture: z.string(),
  Os: z.string(),
  Config: z.looseObject({
    Labels: z.record(z.string(), z.string()).nullish(),
    Env: z.array(z.string()).nullish(),
    OnBuild: z.array(z.string()).nullish(),
    Volumes: z.record(z.string(), z.unknown()).nullish(),
    Healthcheck: z.looseObject({ Test: z.array(z.string()).nullish() }).nullish(),
  }),
});
export type ImageFacts = z.infer<typeof imageFactsSchema>;

// Names that make a loader or an interpreter run other code than it was told to.
const loading = /^(LD_\w+|GLIBC_TUNABLES|NODE_(OPTIONS|PATH)|PYTHON(PATH|HOME|STARTUP)|DENO_(DIR|V8_FLAGS))=/;

/**
 * Why an image must not carry runs, as part of a sentence; null when it may. Labels alone say little: whoever can put an
 * image on the engine can write them, and what an image brings along acts on every container that is made from it.
 */
export function imageFault(facts: ImageFacts, wish: ImageWish, architecture: string): string | null {
  const { Config } = facts;
  if (Object.entries(imageLabels(wish)).some(([name, value]) => Config.Labels?.[name] !== value)) {
    return 'its labels are those of another image';
  }
  if (facts.Os !== 'linux' || facts.Architecture !== architecture) {
    return `it is for ${facts.Os}/${facts.Architecture}, the engine is linux/${architecture}`;
  }
  if ((Config.OnBuild ?? []).length > 0) return 'it has ONBUILD steps';
  if (Object.keys(Config.Volumes ?? {}).length > 0) return 'it brings a VOLUME';
  if ((Config.Healthcheck?.Test ?? []).some((word) => word !== 'NONE')) return 'it brings a HEALTHCHECK';
  const variable = (Config.Env ?? []).find((setting) => loading.test(setting));
  return variable === undefined ? null : `it sets ${variable.split('=')[0] ?? ''}`;
}

/** The same for what the engine has under this id. Throws EngineError. */
export async function faultAt(
  engine: Pick<EngineApi, 'json'>,
  id: string,
  wish: ImageWish,
  { architecture }: EnginePlatform,
): Promise<string | null> {
  try {
    const facts = await engine.json({ method: 'GET', path: `/images/${id}/json` }, imageFactsSchema);
    return facts.Id === id ? imageFault(facts, wish, architecture) : 'the engine has another one under its id';
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return 'it is gone';
    throw error;
  }
}

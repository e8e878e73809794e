import { z } from 'zod';
import type { EngineApi } from '../engineApi.ts';

const versionSchema = z.looseObject({ Os: z.string(), Arch: z.string() });

/** What an engine runs images of, in its own words: `linux`, `amd64`. */
export type EnginePlatform = Readonly<{ os: string; architecture: string }>;

/** Throws EngineError. */
export async function enginePlatform(engine: Pick<EngineApi, 'json'>): Promise<EnginePlatform> {
  const { Os, Arch } = await engine.json({ method: 'GET', path: '/version' }, versionSchema);
  return { os: Os, architecture: Arch };
}

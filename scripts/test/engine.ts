import type { UsableEngine } from '../setup/containerEngine.ts';
import { defaultEngineUrl } from '../setup/engineSocket.ts';

/** In CI nothing is skipped: what cannot be tested has failed. */
export const isStrict = process.env.CI === 'true';

const NONE = 'none';

/** How a test run is told which container engine it may use: `unix://...`, or that there is none. */
export const engineEnvironment = (engine: UsableEngine | null): Readonly<Record<string, string>> => ({
  OAUTH3_TEST_ENGINE: engine?.url ?? NONE,
});

/** The engine of this test run; without `npm test` the usual one of the machine, but in CI only the one that was named. */
export const namedEngine = ((): string | undefined => {
  const named = process.env.OAUTH3_TEST_ENGINE;
  if (named === NONE) return undefined;
  return named || (isStrict ? undefined : process.env.DOCKER_HOST || defaultEngineUrl);
})();

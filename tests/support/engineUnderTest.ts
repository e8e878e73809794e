import type { TestProject } from 'vitest/node';
import { examineEngine, type UsableEngine } from '../../scripts/setup/containerEngine.ts';
import { isStrict, namedEngine } from '../../scripts/test/engine.ts';

declare module 'vitest' {
  interface ProvidedContext {
    engine: UsableEngine | null;
    engineProblem: string | null;
  }
}

const problemWith = (engine: UsableEngine | null): string | null => {
  if (engine === null) return 'no container engine for the tests (OAUTH3_TEST_ENGINE); npm test brings one';
  if (isStrict && !engine.gvisor) return 'the container engine runs no gVisor, and in CI nothing is skipped';
  return null;
};

/** Vitest's global set-up of the tests with containers: the one engine that they may use, looked at once. */
export async function setup(project: TestProject): Promise<void> {
  const engine = (namedEngine === undefined ? undefined : await examineEngine(namedEngine)) ?? null;
  project.provide('engine', engine);
  project.provide('engineProblem', problemWith(engine));
}

import type { TestProject } from 'vitest/node';
import { ensureBuilt } from '../../scripts/setup/appBuild.ts';
import { resolveRuntime } from '../../scripts/setup/electronRuntime.ts';
import { ensureAppPackages, ensureTestPackages } from '../../scripts/setup/systemPackages.ts';
import { makeStage, type Stage } from '../../scripts/setup/testUser.ts';

declare module 'vitest' {
  interface ProvidedContext {
    stage: Stage;
  }
}

/** Vitest's global set-up of the end-to-end tests: the built app, set up once for a user who is not root. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const runtime = await resolveRuntime();
  await ensureAppPackages(runtime.executable, true);
  await ensureTestPackages();
  await ensureBuilt();
  const { stage, remove } = await makeStage(runtime);
  project.provide('stage', stage);
  return remove;
}

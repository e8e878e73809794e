import { ensureBuilt } from '../setup/appBuild.ts';
import { say } from '../setup/checkout.ts';
import { ensureContainerEngine, type UsableEngine } from '../setup/containerEngine.ts';
import { resolveRuntime, standInNotice } from '../setup/electronRuntime.ts';
import { ensureAppPackages, ensureTestPackages } from '../setup/systemPackages.ts';

/** Brings everything that the whole suite needs; null where this machine has no container engine. Throws SetupError. */
export const prepareTests = async (): Promise<UsableEngine | null> => {
  const runtime = await resolveRuntime();
  await ensureAppPackages(runtime.executable, true);
  await ensureTestPackages();
  const engine = await ensureContainerEngine();
  await ensureBuilt();
  const notice = standInNotice(runtime);
  if (notice) say(notice);
  return engine;
};

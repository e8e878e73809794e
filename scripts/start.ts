/** `npm start`: brings everything the app needs, builds it when the sources changed, and runs it. */
import { ensureBuilt } from './setup/appBuild.ts';
import { runScript, say } from './setup/checkout.ts';
import { resolveRuntime, standInNotice } from './setup/electronRuntime.ts';
import { forwardSignals, launchApp } from './setup/launch.ts';
import { ensureAppPackages } from './setup/systemPackages.ts';
import { hasDisplay } from './setup/virtualDisplay.ts';

await runScript(async () => {
  const runtime = await resolveRuntime();
  await ensureAppPackages(runtime.executable, !hasDisplay());
  await ensureBuilt();
  const notice = standInNotice(runtime);
  if (notice) say(notice);
  const app = await launchApp(runtime, process.argv.slice(2));
  forwardSignals(app.child);
  return app.exited;
});

/** `npm run dev`: like `npm start`, and on each change of a source file it builds again and starts the app again. */
import { type FSWatcher, watch } from 'node:fs';
import path from 'node:path';
import { ensureBuilt, sources } from './setup/appBuild.ts';
import { root, runScript, SetupError, say } from './setup/checkout.ts';
import { type ElectronRuntime, resolveRuntime, standInNotice } from './setup/electronRuntime.ts';
import { type AppProcess, launchApp } from './setup/launch.ts';
import { ensureAppPackages } from './setup/systemPackages.ts';
import { hasDisplay } from './setup/virtualDisplay.ts';

/** Editors save in bursts. */
const SETTLE_MS = 150;

const built = (): Promise<boolean> =>
  ensureBuilt().then(
    () => true,
    (error: unknown) => {
      if (!(error instanceof SetupError)) throw error;
      say(error.message);
      return false;
    },
  );

class DevelopmentRun {
  readonly #runtime: ElectronRuntime;
  readonly #watchers: readonly FSWatcher[];
  readonly #finish: (code: number) => void;
  #app: AppProcess | undefined;
  #restarting: Promise<void> = Promise.resolve();
  #settle: NodeJS.Timeout | undefined;
  #ending = false;

  constructor(runtime: ElectronRuntime, finish: (code: number) => void) {
    this.#runtime = runtime;
    this.#finish = finish;
    this.#watchers = sources.map((source) =>
      watch(path.join(root, source), { recursive: true }, () => {
        clearTimeout(this.#settle);
        this.#settle = setTimeout(() => this.restart(), SETTLE_MS);
      }),
    );
  }

  /** One restart after the other; a build that fails leaves the running app as it is. */
  restart(): void {
    this.#restarting = this.#restarting.then(async () => {
      if (this.#ending || !(await built())) return;
      const previous = this.#app;
      this.#app = undefined;
      previous?.child.kill('SIGTERM');
      await previous?.exited;
      const app = await launchApp(this.#runtime, process.argv.slice(2));
      this.#app = app;
      void app.exited.then((code) => {
        if (this.#app === app) this.end(code);
      });
    });
  }

  /** Ends the app and the watching; the code becomes that of the script. */
  end(code: number): void {
    this.#ending = true;
    clearTimeout(this.#settle);
    for (const watcher of this.#watchers) watcher.close();
    const app = this.#app;
    this.#app = undefined;
    app?.child.kill('SIGTERM');
    void Promise.resolve(app?.exited).then(() => this.#finish(code));
  }
}

await runScript(async () => {
  const runtime = await resolveRuntime();
  await ensureAppPackages(runtime.executable, !hasDisplay());
  const notice = standInNotice(runtime);
  if (notice) say(notice);
  return new Promise<number>((resolve) => {
    const development = new DevelopmentRun(runtime, resolve);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => development.end(0));
    development.restart();
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from '../scripts/setup/appBuild.ts';
import { isRoot, root } from '../scripts/setup/checkout.ts';
import { resolveRuntime } from '../scripts/setup/electronRuntime.ts';
import { ensureAppPackages } from '../scripts/setup/systemPackages.ts';
import { hasDisplay, startVirtualDisplay } from '../scripts/setup/virtualDisplay.ts';
import { noEngine } from '../tests/support/noEngine.ts';
import { type Running, startProgram } from './process.ts';

/** Starts the built app, and an empty Electron app to compare with, on the same runtime and display. */
export type AppStarter = Readonly<{
  /** With a data folder of its own unless the environment names one; resolves with the ready line. */
  ours: (env: Readonly<Record<string, string>>) => Promise<Running>;
  /** Resolves when its one window has loaded. */
  empty: () => Promise<Running>;
  close: () => Promise<void>;
}>;

export async function openAppStarter(): Promise<AppStarter> {
  const runtime = await resolveRuntime();
  await ensureAppPackages(runtime.executable, !hasDisplay());
  await ensureBuilt();
  const display = hasDisplay() ? undefined : await startVirtualDisplay(false);
  const command = [runtime.executable, ...(isRoot ? ['--no-sandbox', '--disable-gpu'] : [])] as const;
  const env = { ...process.env, ...noEngine, ...display?.env };
  return {
    async ours(extra) {
      const data = mkdtempSync(join(tmpdir(), 'oauth3-bench-'));
      const settings = {
        OAUTH3_DATA_DIR: join(data, 'data'),
        OAUTH3_PASSPHRASE_FILE: '',
        OAUTH3_SANDBOX: 'embedded',
        PORT: '0',
        TELEGRAM_BOT_TOKEN: '',
        ...(runtime.sqliteBinding ? { OAUTH3_SQLITE_BINDING: runtime.sqliteBinding } : {}),
        ...extra,
      };
      const isReady = (line: string): boolean => line.startsWith('oauth3 ready ');
      const running = await startProgram([...command, root], { ...env, ...settings }, isReady, true);
      return {
        ...running,
        stop: async () => {
          await running.stop();
          rmSync(data, { recursive: true, force: true });
        },
      };
    },
    empty: () =>
      startProgram(
        [...command, join(import.meta.dirname, 'fixtures/empty-app')],
        env,
        (line) => line === 'loaded',
        true,
      ),
    close: async () => display?.stop(),
  };
}

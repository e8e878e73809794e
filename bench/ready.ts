import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from '../scripts/setup/appBuild.ts';
import { isRoot, root } from '../scripts/setup/checkout.ts';
import { resolveRuntime } from '../scripts/setup/electronRuntime.ts';
import { ensureAppPackages } from '../scripts/setup/systemPackages.ts';
import { hasDisplay, startVirtualDisplay } from '../scripts/setup/virtualDisplay.ts';
import { noEngine } from '../tests/support/noEngine.ts';
import { startProgram } from './process.ts';
import { type Race, race } from './race.ts';

/**
 * From spawning to the ready line with a new data folder, against an empty Electron app from spawning to its first loaded
 * window. The vault waits for its owner: a passphrase from a file would add its key derivation, which is slow on purpose.
 */
export async function benchReady(rounds: number): Promise<Race> {
  const runtime = await resolveRuntime();
  await ensureAppPackages(runtime.executable, !hasDisplay());
  await ensureBuilt();
  const display = hasDisplay() ? undefined : await startVirtualDisplay(false);
  const switches = isRoot ? ['--no-sandbox', '--disable-gpu'] : [];
  const env = { ...process.env, ...noEngine, ...display?.env };

  const timed = async (folder: string, extra: NodeJS.ProcessEnv, ready: (line: string) => boolean): Promise<number> => {
    const started = performance.now();
    const app = await startProgram([runtime.executable, ...switches, folder], { ...env, ...extra }, ready, true);
    const tookMs = performance.now() - started;
    await app.stop();
    return tookMs;
  };
  const ours = async (): Promise<number> => {
    const data = mkdtempSync(join(tmpdir(), 'oauth3-bench-'));
    const settings = {
      OAUTH3_DATA_DIR: join(data, 'data'),
      OAUTH3_PASSPHRASE_FILE: '',
      OAUTH3_SANDBOX: 'embedded',
      PORT: '0',
      TELEGRAM_BOT_TOKEN: '',
      ...(runtime.sqliteBinding ? { OAUTH3_SQLITE_BINDING: runtime.sqliteBinding } : {}),
    };
    const tookMs = await timed(root, settings, (line) => line.startsWith('oauth3 ready '));
    rmSync(data, { recursive: true, force: true });
    return tookMs;
  };
  const empty = (): Promise<number> =>
    timed(join(import.meta.dirname, 'fixtures/empty-app'), {}, (line) => line === 'loaded');
  try {
    return await race('ready line', 'ms', rounds, [
      { name: 'ours', measure: async () => [await ours()] },
      {
        name: 'empty app',
        measure: async () => [await empty()],
        aim: { text: '<= 1.5', holds: (ratio) => ratio <= 1.5 },
      },
    ]);
  } finally {
    await display?.stop();
  }
}

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { noEngine } from '../tests/support/noEngine.ts';
import { type Running, startProgram } from './process.ts';

const root = join(import.meta.dirname, '..');

export type BrokerUnderTest = Readonly<{
  url: string;
  token: string;
  folder: string;
  running: Running;
  oauth3: (...args: readonly string[]) => string;
  /** The same with `input` on stdin. */
  oauth3With: (input: string, ...args: readonly string[]) => string;
  close: () => Promise<void>;
}>;

/** A broker in a plain Node process of its own, with a fresh data folder, caps lifted, one agent. */
export async function startBroker(extra: Readonly<Record<string, string>> = {}): Promise<BrokerUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-bench-'));
  writeFileSync(join(folder, 'passphrase'), randomBytes(24).toString('base64url'), { mode: 0o600 });
  const env = {
    ...process.env,
    ...noEngine,
    OAUTH3_DATA_DIR: join(folder, 'data'),
    OAUTH3_PASSPHRASE_FILE: join(folder, 'passphrase'),
    OAUTH3_SANDBOX: 'embedded',
    PORT: '0',
    TELEGRAM_BOT_TOKEN: '',
    OPENCLAW_HOOK_URL: '',
    LOG_LEVEL: 'error',
    ...extra,
  };
  const running = await startProgram([process.execPath, join(root, 'main/headless.ts')], env, (line) =>
    line.startsWith('oauth3 ready '),
  );
  const oauth3With = (input: string, ...args: readonly string[]): string =>
    execFileSync(process.execPath, [join(root, 'cli/index.ts'), ...args, '--json'], { env, encoding: 'utf8', input });
  const oauth3 = (...args: readonly string[]): string => oauth3With('', ...args);
  oauth3('settings', 'set', 'limits.pending_per_agent', '1000000');
  oauth3('settings', 'set', 'limits.requests_per_minute', '100000000');
  const { token } = z.object({ token: z.string() }).parse(JSON.parse(oauth3('agent', 'add', 'bench')));
  return {
    url: running.line.split(' ')[2] ?? '',
    token,
    folder,
    running,
    oauth3,
    oauth3With,
    close: async () => {
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

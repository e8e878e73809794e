import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from '../setup/checkout.ts';
import { run } from '../setup/command.ts';
import type { UsableEngine } from '../setup/containerEngine.ts';
import { engineEnvironment } from './engine.ts';
import type { VitestReport } from './tally.ts';

/** How a run of Vitest ended; without a report it did not get as far as writing one. */
export type VitestRun = Readonly<{ code: number; report: VitestReport | undefined }>;

/** Runs Vitest with these arguments, its output for the reader to see, and gives its JSON report. */
export const runVitest = async (args: readonly string[], engine: UsableEngine | null): Promise<VitestRun> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'oauth3-test-'));
  const file = path.join(folder, 'report.json');
  try {
    const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const env = { ...process.env, ...engineEnvironment(engine) };
    const { code } = await run(process.execPath, [vitest, 'run', ...reporters, ...args], {
      cwd: root,
      show: true,
      env,
    });
    const text = await readFile(file, 'utf8').catch(() => undefined);
    return { code, report: text === undefined ? undefined : JSON.parse(text) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

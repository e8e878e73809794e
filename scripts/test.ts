/**
 * `npm test [vitest filters]`: brings what the tests need, then lint, layers, types, and all tests: unit, integration,
 * attacks, end to end. The last line is `N passed, N failed`.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ensureBuilt } from './setup/appBuild.ts';
import { root, runScript, say } from './setup/checkout.ts';
import { run } from './setup/command.ts';
import { type EngineFacts, ensureContainerEngine } from './setup/containerEngine.ts';
import { resolveRuntime, standInNotice } from './setup/electronRuntime.ts';
import { ensureAppPackages, ensureTestPackages } from './setup/systemPackages.ts';
import { engineEnvironment, isStrict } from './test/engine.ts';
import { type Tally, tallyOf, type VitestReport } from './test/tally.ts';

const bin = (...parts: string[]): string => path.join(root, 'node_modules', ...parts);

const checks: readonly Readonly<{ name: string; commands: readonly (readonly string[])[] }>[] = [
  { name: 'lint', commands: [[bin('@biomejs/biome/bin/biome'), 'check', '.']] },
  { name: 'layers', commands: [['scripts/layers.ts']] },
  {
    name: 'types',
    commands: [
      [bin('typescript/bin/tsc'), '-p', '.'],
      [bin('typescript/bin/tsc'), '-p', 'renderer'],
    ],
  },
];

const runCheck = async ({ name, commands }: (typeof checks)[number]): Promise<boolean> => {
  say(`\n--- ${name}`);
  const codes: number[] = [];
  for (const args of commands) codes.push((await run(process.execPath, args, { cwd: root, show: true })).code);
  const good = codes.every((code) => code === 0);
  say(`${name}: ${good ? 'good' : 'failed'}`);
  return good;
};

const runTests = async (filters: readonly string[], engine: EngineFacts | null): Promise<Tally> => {
  say('\n--- tests');
  const folder = await mkdtemp(path.join(tmpdir(), 'oauth3-test-'));
  const file = path.join(folder, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const args = [bin('vitest/vitest.mjs'), 'run', ...reporters, ...filters];
    const env = { ...process.env, ...engineEnvironment(engine) };
    const { code } = await run(process.execPath, args, { cwd: root, show: true, env });
    const text = await readFile(file, 'utf8').catch(() => undefined);
    const report: VitestReport | undefined = text === undefined ? undefined : JSON.parse(text);
    return tallyOf(report, code, isStrict);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

await runScript(async () => {
  const runtime = await resolveRuntime();
  await ensureAppPackages(runtime.executable, true);
  await ensureTestPackages();
  const engine = await ensureContainerEngine();
  await ensureBuilt();
  const notice = standInNotice(runtime);
  if (notice) say(notice);
  const results: boolean[] = [];
  for (const check of checks) results.push(await runCheck(check));
  const tests = await runTests(process.argv.slice(2), engine);
  for (const note of tests.notes) say(note);
  const passed = tests.passed + results.filter(Boolean).length;
  const failed = tests.failed + results.filter((good) => !good).length;
  say(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
});

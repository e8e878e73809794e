/**
 * `npm test [vitest filters]`: brings what the tests need, then lint, layers, types, and all tests: unit, integration,
 * attacks, end to end. The last line is `N passed, N failed`.
 */
import path from 'node:path';
import { root, runScript, say } from './setup/checkout.ts';
import { run } from './setup/command.ts';
import { isStrict } from './test/engine.ts';
import { prepareTests } from './test/prepare.ts';
import { tallyOf } from './test/tally.ts';
import { runVitest } from './test/vitestRun.ts';

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

await runScript(async () => {
  const engine = await prepareTests();
  const results: boolean[] = [];
  for (const check of checks) results.push(await runCheck(check));
  say('\n--- tests');
  const { code, report } = await runVitest(process.argv.slice(2), engine);
  const tests = tallyOf(report, code, isStrict);
  for (const note of tests.notes) say(note);
  const passed = tests.passed + results.filter(Boolean).length;
  const failed = tests.failed + results.filter((good) => !good).length;
  say(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
});

/**
 * `npm run attacks`: plays every case of the attack catalogue that a test anywhere names, and prints one line for each:
 * its number, how it ended, what was shown or why there is nothing to show. Exit 1 if a test failed or a case has
 * neither test nor reason.
 */
import { attackFiles } from './attacks/files.ts';
import { notApplicable } from './attacks/notApplicable.ts';
import { type Row, summaryOf, tableOf } from './attacks/table.ts';
import { runScript, say } from './setup/checkout.ts';
import { isStrict } from './test/engine.ts';
import { prepareTests } from './test/prepare.ts';
import { tallyOf } from './test/tally.ts';
import { runVitest } from './test/vitestRun.ts';

const WHAT_WIDTH = 150;

const line = ({ case: name, result, what }: Row, resultWidth: number): string =>
  `${name.padEnd(5)} ${result.padEnd(resultWidth)}  ${what.length > WHAT_WIDTH ? `${what.slice(0, WHAT_WIDTH - 1)}…` : what}`;

await runScript(async () => {
  const engine = await prepareTests();
  const { code, report } = await runVitest(attackFiles(), engine);
  const outcomes = (report?.testResults ?? []).flatMap(({ assertionResults }) => assertionResults);
  const rows = tableOf(outcomes, notApplicable, isStrict);
  const resultWidth = Math.max(...rows.map(({ result }) => result.length));
  say('');
  for (const row of rows) say(line(row, resultWidth));
  const { failed, notes } = tallyOf(report, code, isStrict);
  for (const note of notes) say(note);
  say(summaryOf(rows));
  return failed > 0 || rows.some(({ bad }) => bad) ? 1 : 0;
});

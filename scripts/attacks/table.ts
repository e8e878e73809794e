import type { TestOutcome } from '../test/tally.ts';
import { catalogue } from './catalogue.ts';
import type { Standing } from './notApplicable.ts';
import { casesOf, proseOf } from './titles.ts';

export type Row = Readonly<{
  /** As tests name it: `B29`. */
  case: string;
  what: string;
  result: string;
  /** Nothing shows that this attack fails. */
  bad: boolean;
}>;

const isRun = ({ status }: TestOutcome): boolean => status === 'passed' || status === 'failed';
const words = ({ ancestorTitles, title }: TestOutcome): string => proseOf([...ancestorTitles, title]);

const played = (tests: readonly TestOutcome[]): Pick<Row, 'what' | 'result' | 'bad'> => {
  const failed = tests.filter(({ status }) => status === 'failed');
  const [first] = failed.length > 0 ? failed : tests;
  const more = failed.length > 0 ? `${failed.length} of ${tests.length} failed` : `passed (${tests.length})`;
  return { what: first ? words(first) : '', result: more, bad: failed.length > 0 };
};

const unplayed = (standing: Standing | undefined, skipped: boolean): Pick<Row, 'what' | 'result' | 'bad'> => {
  if (skipped) return { what: 'its tests were skipped on this machine', result: 'skipped', bad: false };
  if (!standing) return { what: 'no test names it, and no reason is written down', result: 'missing', bad: true };
  return { what: standing.reason, result: standing.kind, bad: false };
};

/** One row for each case of the catalogue. A test that ran says more than any reason. `strict`: skipped is bad too. */
export const tableOf = (
  tests: readonly TestOutcome[],
  standings: Readonly<Record<number, Standing>>,
  strict: boolean,
): readonly Row[] => {
  const byCase = new Map<number, TestOutcome[]>();
  for (const test of tests) {
    for (const number of casesOf([...test.ancestorTitles, test.title])) {
      byCase.set(number, [...(byCase.get(number) ?? []), test]);
    }
  }
  return [...catalogue].map(([number, letter]) => {
    const named = byCase.get(number) ?? [];
    const run = named.filter(isRun);
    const skipped = named.length > 0 && run.length === 0;
    const row = run.length > 0 ? played(run) : unplayed(standings[number], skipped);
    return { case: `${letter}${number}`, ...row, bad: row.bad || (skipped && strict) };
  });
};

/** `120 passed, 30 open, 2 bad`. */
export const summaryOf = (rows: readonly Row[]): string => {
  const counts = new Map<string, number>();
  for (const { result, bad } of rows) {
    const kind = bad ? 'bad' : result.replace(/ \(\d+\)$/, '');
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
};

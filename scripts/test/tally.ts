/** One test in it. */
export type TestOutcome = Readonly<{ ancestorTitles: readonly string[]; title: string; status: string }>;

/** Vitest's JSON report, as far as it is counted here. */
export type VitestReport = Readonly<{
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: readonly Readonly<{ status: string; assertionResults: readonly TestOutcome[] }>[];
}>;

export type Tally = Readonly<{ passed: number; failed: number; notes: readonly string[] }>;

const count = (number: number, word: string): readonly string[] => (number > 0 ? [`${number} ${word}`] : []);

/**
 * Counts a Vitest run. A file that did not load is a failure although no test of it failed, and so is a run that ended
 * badly (`exitCode`) without saying where. With `strict` (CI) a skipped test is a failure too.
 */
export const tallyOf = (report: VitestReport | undefined, exitCode: number, strict: boolean): Tally => {
  if (!report) return { passed: 0, failed: 1, notes: ['vitest wrote no report'] };
  const unloaded = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  const skipped = report.numPendingTests + report.numTodoTests;
  const seen = report.numFailedTests + unloaded;
  const unexplained = exitCode !== 0 && seen === 0 ? 1 : 0;
  return {
    passed: report.numPassedTests,
    failed: seen + unexplained + (strict ? skipped : 0),
    notes: [
      ...count(unloaded, 'test files did not load'),
      ...count(skipped, strict ? 'skipped tests: in CI that is a failure' : 'skipped tests'),
      ...count(unexplained, 'error outside the tests'),
    ],
  };
};

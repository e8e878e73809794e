import { describe, expect, it } from 'vitest';
import { tallyOf, type VitestReport } from './tally.ts';

const report = (facts: Partial<VitestReport> = {}): VitestReport => ({
  numPassedTests: 5,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [],
  ...facts,
});

describe('the tally of a test run', () => {
  it('counts what passed and what failed', () => {
    expect(tallyOf(report({ numFailedTests: 2 }), 1, true)).toMatchObject({ passed: 5, failed: 2 });
  });

  it('counts a skipped test as a failure in CI only', () => {
    expect(tallyOf(report({ numPendingTests: 1, numTodoTests: 1 }), 0, true).failed).toBe(2);
    expect(tallyOf(report({ numPendingTests: 1 }), 0, false).failed).toBe(0);
  });

  it('counts a file that did not load', () => {
    const testResults = [{ status: 'failed', assertionResults: [] }];
    expect(tallyOf(report({ testResults }), 1, false).failed).toBe(1);
  });

  it('does not call a run good that ended badly', () => {
    expect(tallyOf(report(), 1, false).failed).toBe(1);
    expect(tallyOf(undefined, 0, false).failed).toBe(1);
  });
});

import { describe, expect, it } from 'vitest';
import type { TestOutcome } from '../test/tally.ts';
import { catalogue } from './catalogue.ts';
import { notApplicable } from './notApplicable.ts';
import { summaryOf, tableOf } from './table.ts';

const test = (title: string, status = 'passed', ...ancestorTitles: readonly string[]): TestOutcome => ({
  ancestorTitles,
  title,
  status,
});
const rowOf = (name: string, tests: readonly TestOutcome[], strict = false) =>
  tableOf(tests, { 31: { kind: 'n/a', reason: 'no such thing' } }, strict).find((row) => row.case === name);

describe('the table of attacks', () => {
  it('has one row for each case, in order', () => {
    const rows = tableOf([], {}, false);
    expect(rows).toHaveLength(catalogue.size);
    expect(rows.slice(10, 13).map((row) => row.case)).toEqual(['A11', 'A13', 'A15']);
  });

  it('shows a case that was played, with what the first test of it says', () => {
    const tests = [test('B29 B30 refused', 'passed', 'the Host header'), test('B30 two of them')];
    expect(rowOf('B29', tests)).toMatchObject({ result: 'passed (1)', what: 'the Host header: refused', bad: false });
    expect(rowOf('B30', tests)).toMatchObject({ result: 'passed (2)', bad: false });
  });

  it('shows the failed test of several', () => {
    const tests = [test('B30 one'), test('B30 two', 'failed')];
    expect(rowOf('B30', tests)).toMatchObject({ result: '1 of 2 failed', what: 'two', bad: true });
  });

  it('gives the reason where no test names a case, and calls it bad where there is none', () => {
    expect(rowOf('B31', [])).toMatchObject({ result: 'n/a', what: 'no such thing', bad: false });
    expect(rowOf('B32', [])).toMatchObject({ result: 'missing', bad: true });
  });

  it('believes a test more than a reason, whichever way it ends', () => {
    expect(rowOf('B31', [test('B31 x')])).toMatchObject({ result: 'passed (1)', bad: false });
    expect(rowOf('B31', [test('B31 x', 'failed')])).toMatchObject({ bad: true });
  });

  it('calls skipped tests bad in CI only', () => {
    const tests = [test('B32 x', 'skipped'), test('B31 x', 'pending')];
    expect(rowOf('B32', tests)).toMatchObject({ result: 'skipped', bad: false });
    expect(rowOf('B32', tests, true)).toMatchObject({ bad: true });
    expect(rowOf('B31', tests, true)).toMatchObject({ bad: true });
  });

  it('ends with a count of each result', () => {
    const rows = tableOf([test('A1 x'), test('A2 y'), test('A2 y')], { 3: { kind: 'open', reason: 'x' } }, false);
    expect(summaryOf(rows)).toBe(`2 passed, 1 open, ${catalogue.size - 3} bad`);
  });
});

describe('the reasons for cases without a test', () => {
  it('are for cases of the catalogue, in words', () => {
    for (const [number, { reason }] of Object.entries(notApplicable)) {
      expect(catalogue.has(Number(number)), number).toBe(true);
      expect(reason.length, number).toBeGreaterThan(8);
    }
  });
});

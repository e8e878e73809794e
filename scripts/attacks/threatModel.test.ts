import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../setup/checkout.ts';
import { claimRows } from './threatModel.ts';

const rows = claimRows(readFileSync(path.join(root, 'docs/THREAT-MODEL.md'), 'utf8'));
const sourceOf = (file: string): string => {
  const place = path.join(root, file);
  return existsSync(place) ? readFileSync(place, 'utf8') : '';
};

describe('the threat model', () => {
  it('names for each claim a test that there is', () => {
    const citations = rows.flatMap((row) => row.citations);
    expect(citations.length).toBeGreaterThan(100);
    expect(citations.filter(({ file, title }) => !sourceOf(file).includes(title))).toEqual([]);
  });

  it('says so where there is none', () => {
    const silent = rows.filter(
      ({ citations, without }) => citations.length === 0 && !/^(n\/a: |the same test: )/.test(without),
    );
    expect(silent).toEqual([]);
  });

  it('counts the cases of peers without a gap', () => {
    const numbers = rows.flatMap(({ claim }) => /^(\d+) \|/.exec(claim)?.[1] ?? []);
    expect(numbers).toEqual(numbers.map((_number, index) => `${index + 1}`));
  });
});

describe('a row', () => {
  it('gives each title the file that stands before it, and bare names the folder of the attacks', () => {
    const table =
      '| a | shown by |\n|---|---|\n| x `y` “z” | `one` “A1 b” · “c” · `main/two` “d” |\n\n| a | b |\n|---|---|\n| c | d |';
    expect(claimRows(table)).toEqual([
      {
        claim: 'x `y` “z” | `one` “A1 b” · “c” · `main/two` “d”',
        citations: [
          { file: 'tests/attacks/one.test.ts', title: 'A1 b' },
          { file: 'tests/attacks/one.test.ts', title: 'c' },
          { file: 'main/two.test.ts', title: 'd' },
        ],
        without: '',
      },
    ]);
  });
});

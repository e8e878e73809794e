import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changedLines, type LineRun } from './changedLines.ts';

const total = (runs: readonly LineRun[], kinds: readonly LineRun['kind'][]): number =>
  runs.reduce((sum, { kind, count }) => sum + (kinds.includes(kind) ? count : 0), 0);

describe('the lines that changed', () => {
  it('are told as runs, with what stayed between them', () => {
    expect(changedLines(['a', 'b', 'c', 'd'], ['a', 'x', 'y', 'c', 'd', 'e'])).toEqual([
      { kind: 'same', count: 1 },
      { kind: 'gone', count: 1 },
      { kind: 'new', count: 2 },
      { kind: 'same', count: 2 },
      { kind: 'new', count: 1 },
    ]);
    expect(changedLines(['a'], ['a'])).toEqual([{ kind: 'same', count: 1 }]);
    expect(changedLines([], ['a'])).toEqual([{ kind: 'new', count: 1 }]);
  });

  it('cover both texts whole, and what they call the same is the same', () => {
    const lines = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 30 });
    fc.assert(
      fc.property(lines, lines, (before, now) => {
        const runs = changedLines(before, now) ?? [];
        expect(total(runs, ['same', 'gone'])).toBe(before.length);
        expect(total(runs, ['same', 'new'])).toBe(now.length);
        let [left, right] = [0, 0];
        for (const { kind, count } of runs) {
          if (kind === 'same') expect(before.slice(left, left + count)).toEqual(now.slice(right, right + count));
          if (kind !== 'new') left += count;
          if (kind !== 'gone') right += count;
        }
      }),
    );
  });

  it('are not looked for without end: two texts of 15000 different lines are too different', () => {
    const text = (name: string): readonly string[] => Array.from({ length: 15_000 }, (_, index) => `${name} ${index}`);
    const began = performance.now();
    expect(changedLines(text('before'), text('now'))).toBeNull();
    expect(performance.now() - began).toBeLessThan(4_000);
    // Only what differs counts, not how long the texts are.
    expect(changedLines([...text('same'), 'old'], [...text('same'), 'new'])).toHaveLength(3);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toCodeLines } from '../../../main/core/display.ts';
import { changedLines } from './changedLines.ts';
import { countChanges, type DiffRow, diffRows } from './diffRows.ts';
import { lineKey } from './lineText.ts';

function diffOf(before: string, now: string, layout: { sideBySide?: boolean; opened?: readonly number[] } = {}) {
  const [left, right] = [toCodeLines(before), toCodeLines(now)];
  const runs = changedLines(left.map(lineKey), right.map(lineKey)) ?? [];
  const rows = diffRows(
    { before: left, now: right, runs },
    { sideBySide: layout.sideBySide ?? false, opened: new Set(layout.opened) },
  );
  return { rows, runs, left, right };
}

const told = (row: DiffRow): string => {
  if (row.kind === 'fold') return `… ${row.lines}`;
  if (row.kind === 'same') return `  ${row.before.from}/${row.now.from} ${lineKey(row.now.segments)}`;
  const [gone, fresh] = [row.before, row.now].map((side) =>
    side === null ? '' : `${side.from} ${lineKey(side.segments)}`,
  );
  return `-${gone} +${fresh}`;
};

const numbered = (count: number): string => Array.from({ length: count }, (_, index) => `line ${index}`).join('\n');

describe('the rows of a diff', () => {
  it('stand one below the other, what went first', () => {
    expect(diffOf('a\nb\nc', 'a\nx\ny\nc').rows.map(told)).toEqual([
      '  1/1 a',
      '-2 b +',
      '- +2 x',
      '- +3 y',
      '  3/4 c',
    ]);
  });

  it('stand beside each other where there is room', () => {
    expect(diffOf('a\nb\nc', 'a\nx\ny\nc', { sideBySide: true }).rows.map(told)).toEqual([
      '  1/1 a',
      '-2 b +2 x',
      '- +3 y',
      '  3/4 c',
    ]);
  });

  it('fold what did not change, with its count, until it is opened', () => {
    const [before, now] = [`${numbered(100)}\nold\nend`, `${numbered(100)}\nnew\nend`];
    const { rows } = diffOf(before, now);
    expect(rows.map(told).slice(0, 2)).toEqual(['… 97', '  98/98 line 97']);
    expect(diffOf(before, now, { opened: [0] }).rows).toHaveLength(103);
  });

  it('count five hundred blank lines in one row, so that what follows is in sight (ATTACKS M212)', () => {
    const { rows } = diffOf('a', `a${'\n'.repeat(501)}evil()`);
    expect(rows.map(told)).toEqual(['  1/1 a', '- +2 ⟦500 blank lines⟧', '- +502 evil()']);
  });

  it('mark what changed inside a line', () => {
    const [row] = diffOf("fetch('https://api.example.com/')", "fetch('https://api.examp1e.com/')", {
      sideBySide: true,
    }).rows;
    expect(row).toMatchObject({ before: { changed: { from: 24, to: 25 } }, now: { changed: { from: 24, to: 25 } } });
  });

  it('are all lines of both texts, in order, once every fold is open', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', '', '\u200b', '🙂', 'x'.repeat(2000), '\n\n\n\n\n\n'), { maxLength: 40 })
      .map((lines) => lines.join('\n'));
    fc.assert(
      fc.property(text, text, fc.boolean(), (before, now, sideBySide) => {
        const { rows, left, right, runs } = diffOf(before, now, {
          sideBySide,
          opened: Array.from({ length: 99 }, (_, id) => id),
        });
        const side = (which: 'before' | 'now'): string =>
          rows.map((row) => (row.kind === 'fold' ? '' : lineKey(row[which]?.segments ?? []))).join('');
        expect(side('before')).toBe(left.map(lineKey).join(''));
        expect(side('now')).toBe(right.map(lineKey).join(''));
        const { gone, fresh } = countChanges(runs);
        expect(left.length - gone).toBe(right.length - fresh);
      }),
    );
  });
});

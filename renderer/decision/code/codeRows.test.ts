import { describe, expect, it } from 'vitest';
import type { Segment } from '../../../contract/display.ts';
import { codeRows } from './codeRows.ts';

const text = (line: string): readonly Segment[] => (line === '' ? [] : [{ kind: 'text', text: line }]);
const mark = (words: string): readonly Segment[] => [{ kind: 'mark', text: words, title: '' }];
const ranges = (lines: readonly (readonly Segment[])[]) => codeRows(lines).map(({ from, to }) => [from, to]);

describe('rows of a code listing', () => {
  it('are its lines, blank ones as well', () => {
    expect(ranges([text('a'), [], text('  '), text('b')])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ]);
  });

  it('are one for a stretch of blank lines that its first line announces', () => {
    expect(ranges([text('a'), mark('4 blank lines'), [], text(' '), [], [], text('b')])).toEqual([
      [1, 1],
      [2, 5],
      [6, 6],
      [7, 7],
    ]);
  });

  it('never hide a line that says something, whatever was announced', () => {
    expect(ranges([mark('9 blank lines'), [], text('b'), mark('U+200B')])).toEqual([
      [1, 2],
      [3, 3],
      [4, 4],
    ]);
    expect(ranges([mark('0 blank lines'), text('b')])).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });
});

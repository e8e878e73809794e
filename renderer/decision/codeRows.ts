import type { CardCode } from '../../contract/card.ts';
import type { Segment } from '../../contract/display.ts';

/** One row of the listing: a line, or a long stretch of blank lines that main has announced in its first one. */
export type CodeRow = Readonly<{ from: number; to: number; segments: readonly Segment[] }>;

const isBlank = (line: readonly Segment[]): boolean =>
  line.every((segment) => segment.kind === 'text' && segment.text.trim() === '');

/**
 * Lines as rows, numbered from 1. Blank lines that follow the mark which counts them are one row, so that what comes
 * after five hundred of them is not out of sight; nothing else is ever folded.
 */
export function codeRows(lines: CardCode['lines']): readonly CodeRow[] {
  const rows: CodeRow[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const segments = lines[index] ?? [];
    const announced = Number(/^(\d+) blank lines$/.exec(markOf(segments))?.[1] ?? 1);
    let to = index;
    while (to + 1 < index + announced && to + 1 < lines.length && isBlank(lines[to + 1] ?? [])) to += 1;
    rows.push({ from: index + 1, to: to + 1, segments });
    index = to;
  }
  return rows;
}

function markOf(segments: readonly Segment[]): string {
  const last = segments.at(-1);
  return last?.kind === 'mark' ? last.text : '';
}

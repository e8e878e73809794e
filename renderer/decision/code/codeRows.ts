import type { CardCode } from '../../../contract/card.ts';
import type { Segment } from '../../../contract/display.ts';
import { type Chunk, chunksOf } from './chunks.ts';

/**
 * One row of the listing: a line or a part of a long one, or a long stretch of blank lines that main has announced in its
 * first one. `from` and `to` count lines from 1.
 */
export type CodeRow = Chunk & Readonly<{ from: number; to: number }>;

const isBlank = (line: readonly Segment[]): boolean =>
  line.every((segment) => segment.kind === 'text' && segment.text.trim() === '');

/**
 * Lines as rows, numbered from 1. Blank lines that follow the mark which counts them are one row, so that what comes
 * after five hundred of them is not out of sight; nothing else is ever folded. Of the lines from index `begin` up to `end`.
 */
export function codeRows(lines: CardCode['lines'], begin = 0, end = lines.length): readonly CodeRow[] {
  const rows: CodeRow[] = [];
  for (let index = begin; index < end; index += 1) {
    const segments = lines[index] ?? [];
    const announced = Number(/^(\d+) blank lines$/.exec(markOf(segments))?.[1] ?? 1);
    let to = index;
    while (to + 1 < index + announced && to + 1 < end && isBlank(lines[to + 1] ?? [])) to += 1;
    for (const chunk of chunksOf(segments)) rows.push({ from: index + 1, to: to + 1, ...chunk });
    index = to;
  }
  return rows;
}

function markOf(segments: readonly Segment[]): string {
  const last = segments.at(-1);
  return last?.kind === 'mark' ? last.text : '';
}

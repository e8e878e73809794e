import type { Segment } from '../../../contract/display.ts';
import type { Line } from './lineText.ts';

/** A look for the characters from `from` up to `to` of a line's text (`lineText`). */
export type Span<Look extends string = string> = Readonly<{ from: number; to: number; look: Look }>;
export type Piece = Readonly<{ segment: Segment; looks: readonly string[] }>;

/**
 * A line cut where a look begins or ends. The segments are the truth: whatever the spans say, the text of the pieces is
 * the text of the line, in its order, and marks stay marks. `start`: place of the line's first character in the spans.
 */
export function piecesOf(line: Line, spans: readonly Span[], start = 0): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = start;
  for (const segment of line) {
    const end = at + (segment.kind === 'text' ? segment.text.length : 1);
    const near = spans.filter((span) => span.from < end && span.to > at);
    const looksAt = (from: number, to: number): readonly string[] =>
      near.filter((span) => span.from < to && span.to > from).map((span) => span.look);
    if (segment.kind === 'mark') pieces.push({ segment, looks: looksAt(at, end) });
    else {
      const cuts = cutsOf(segment.text, at, near);
      for (let index = 0; index + 1 < cuts.length; index += 1) {
        const [from = 0, to = 0] = [cuts[index], cuts[index + 1]];
        pieces.push({
          segment: { kind: 'text', text: segment.text.slice(from, to) },
          looks: looksAt(at + from, at + to),
        });
      }
    }
    at = end;
  }
  return pieces;
}

/** Where a text is cut, its two ends included; never inside a character of two units. */
function cutsOf(text: string, at: number, spans: readonly Span[]): readonly number[] {
  const edges = spans
    .flatMap(({ from, to }) => [from - at, to - at])
    .filter((edge) => Number.isInteger(edge) && edge > 0 && edge < text.length && !isInsideCharacter(text, edge));
  return [...new Set([0, ...edges, text.length])].sort((left, right) => left - right);
}

/** Cutting here would part the two halves of a character. */
export function isInsideCharacter(text: string, at: number): boolean {
  const [before, after] = [text.charCodeAt(at - 1), text.charCodeAt(at)];
  return before >= 0xd800 && before <= 0xdbff && after >= 0xdc00 && after <= 0xdfff;
}

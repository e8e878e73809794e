import { describe, expect, it } from 'vitest';
import type { Segment } from '../../../contract/display.ts';
import { chunksOf, MAX_CHUNK_CHARACTERS } from './chunks.ts';
import { lineKey, lineText } from './lineText.ts';

const text = (value: string): Segment => ({ kind: 'text', text: value });
const mark: Segment = { kind: 'mark', text: 'U+200B', title: '' };

describe('parts of a line', () => {
  it('are one for a usual line, and for an empty one', () => {
    expect(chunksOf([text('const a = 1;'), mark])).toEqual([{ start: 0, segments: [text('const a = 1;'), mark] }]);
    expect(chunksOf([])).toEqual([{ start: 0, segments: [] }]);
  });

  it.each([
    ['a payload at column 250000 (ATTACKS M212)', [text(`${' x'.repeat(125_000)}payload`)]],
    ['marks without end', Array.from({ length: 90_000 }, (_, index) => (index % 2 === 0 ? mark : text('a')))],
    ['characters of two units', [text('🙂'.repeat(5_000))]],
    ['a cut inside a character', [text(`a${'🙂'.repeat(5_000)}`), mark, text('end')]],
  ])('are small, and together the line: %s', (_what, line: readonly Segment[]) => {
    const chunks = chunksOf(line);
    expect(lineKey(chunks.flatMap(({ segments }) => segments))).toBe(lineKey(line));
    let place = 0;
    for (const { start, segments } of chunks) {
      expect(start).toBe(place);
      place += lineText(segments).length;
      expect(lineText(segments).length).toBeLessThanOrEqual(MAX_CHUNK_CHARACTERS + 1);
      expect(segments.length).toBeLessThanOrEqual(200);
      for (const segment of segments) expect(segment.text).not.toMatch(/\p{Cs}/u);
    }
  });
});

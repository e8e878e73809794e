import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Segment } from '../../../contract/display.ts';
import { toCodeLines } from '../../../main/core/display.ts';
import { lineKey, lineText } from './lineText.ts';
import { piecesOf, type Span } from './pieces.ts';

const text = (value: string): Segment => ({ kind: 'text', text: value });
const mark: Segment = { kind: 'mark', text: 'U+200B', title: 'invisible' };

describe('a coloured line', () => {
  it('is cut where a colour begins and ends, also across a mark', () => {
    const spans: Span[] = [
      { from: 1, to: 4, look: 'string' },
      { from: 4, to: 5, look: 'number' },
    ];
    expect(piecesOf([text('ab'), mark, text('cd')], spans)).toEqual([
      { segment: text('a'), looks: [] },
      { segment: text('b'), looks: ['string'] },
      { segment: mark, looks: ['string'] },
      { segment: text('c'), looks: ['string'] },
      { segment: text('d'), looks: ['number'] },
    ]);
  });

  it('says what the line says, whatever the colours claim (ATTACKS M212)', () => {
    const hostile = fc.string({
      unit: fc.constantFrom('a', ' ', '\t', '\u200b', '\u202e', '🙂', '👩‍👩‍👧', 'é', '<b>', '"'),
    });
    const place = fc.oneof(fc.integer({ min: -5, max: 60 }), fc.double());
    const span = fc.record({ from: place, to: place, look: fc.constantFrom('a', 'b') });
    fc.assert(
      fc.property(hostile, fc.array(span, { maxLength: 9 }), (code, spans) => {
        const line = toCodeLines(code)[0] ?? [];
        const pieces = piecesOf(line, spans).map((piece) => piece.segment);
        expect(lineKey(pieces)).toBe(lineKey(line));
        expect(pieces.filter(({ kind }) => kind === 'mark')).toEqual(line.filter(({ kind }) => kind === 'mark'));
        for (const piece of pieces) expect(piece.text).not.toMatch(/\p{Cs}/u);
      }),
    );
  });

  it('counts a mark as one character, so that places after it stay right', () => {
    expect(lineText([text('ab'), mark, text('c')])).toHaveLength(4);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { segmentSchema } from '../../contract/display.ts';
import { countBlankRuns, countHidden, toCodeLines, toSegments, toVisibleText } from './display.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 200 });
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/u;

describe('toSegments', () => {
  it('leaves plain text of any script alone', () => {
    for (const text of ['Send a mail', 'Grüße, 日本語, العربية', 'a < b && c > d', '']) {
      expect(toVisibleText(text)).toBe(text);
    }
  });

  it('never lets an unseen character through, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          fc.array(fc.nat({ max: 0xffff })).map((units) => String.fromCharCode(...units)),
        ),
        (text) => {
          for (const segment of toSegments(text)) {
            expect(segmentSchema.parse(segment)).toEqual(segment);
            expect(segment.text).not.toMatch(unseen);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('lets line breaks and tabs through in text of several lines only', () => {
    expect(toVisibleText('a\n\tb', { multiline: true })).toBe('a\n\tb');
    expect(toVisibleText('a\n\tb')).toBe('a⟦U+000A⟧⟦U+0009⟧b');
    expect(toVisibleText('a\r\nb\rc', { multiline: true })).toBe('a\nb⟦U+000D⟧c');
  });

  it('counts equal neighbours instead of repeating them', () => {
    expect(toVisibleText(`a${'\u200b'.repeat(5000)}b`)).toBe('a⟦U+200B ×5000⟧b');
  });

  it('does not let text imitate a mark', () => {
    expect(toVisibleText('⟦U+202E⟧')).toBe('⟦U+27E6⟧U+202E⟦U+27E7⟧');
  });

  it('says how much it cut off', () => {
    expect(toVisibleText('x'.repeat(12), { maxChars: 10 })).toBe('xxxxxxxxxx⟦… 2 more characters⟧');
    expect(toVisibleText('😀😀', { maxChars: 2 })).toBe('😀😀');
  });
});

describe('toCodeLines', () => {
  it('shows every line: line numbers are the index, joined text is the code', () => {
    const code = 'const a = 1;\r\n\n\tif (a) {\n  b();\n}\n';
    const lines = toCodeLines(code).map((line) => line.map((segment) => segment.text).join(''));
    expect(lines).toEqual(['const a = 1;', '', '\tif (a) {', '  b();', '}', '']);
  });

  it('is quick with the largest code that is accepted, however odd', () => {
    const size = 262_144;
    const oddities = [
      ' '.repeat(size),
      '\n'.repeat(size),
      '\u0301'.repeat(size / 2),
      `${' '.repeat(40)}\n`.repeat(6000),
      '\u202e\n'.repeat(80_000),
    ];
    const started = performance.now();
    for (const code of oddities) {
      toCodeLines(code);
      toSegments(code, { multiline: true });
      countHidden(code);
      countBlankRuns(code);
    }
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe('counting', () => {
  it('counts unseen characters but not what ordinary code has', () => {
    expect(countHidden('a\r\n\tb ⟦x⟧')).toBe(0);
    expect(countHidden('\ufeffa\u202eb\u{e0041}\r')).toBe(4);
  });

  it('counts stretches of blank space that push something out of sight', () => {
    expect(countBlankRuns('a\n\n\nb    c')).toBe(0);
    expect(countBlankRuns(`a${'\n'.repeat(20)}b${' '.repeat(100)}c`)).toBe(2);
    expect(countBlankRuns(`a${' '.repeat(100)}\nb`)).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { segmentText } from './segmentText.ts';
import { rowCharacters, TextLayout } from './textRows.ts';

const all = (layout: TextLayout) => layout.rows(0, layout.total);
const texts = (layout: TextLayout): readonly string[] => all(layout).map(({ of }) => segmentText(of));

describe('a text in rows', () => {
  it('has a row a line, numbered, and none after the last line break', () => {
    const layout = new TextLayout('a\n\nb\r\nc\n');
    expect(texts(layout)).toEqual(['a', '', 'b', 'c']);
    expect(all(layout).map(({ line }) => line)).toEqual([1, 2, 3, 4]);
    expect(layout).toMatchObject({ total: 4, lines: 4 });
    expect(new TextLayout('')).toMatchObject({ total: 0, lines: 0 });
  });

  it('goes on in further rows where a line is long, and cuts no character', () => {
    const long = `${'x'.repeat(rowCharacters - 1)}😀${'y'.repeat(rowCharacters)}`;
    const layout = new TextLayout(`${long}\nend`);
    expect(texts(layout).join('')).toBe(`${long}end`);
    expect(all(layout).map(({ line, continued }) => [line, continued])).toEqual([
      [1, false],
      [1, true],
      [1, true],
      [2, false],
    ]);
  });

  it('is the same however it came in', () => {
    const text = `one\n${'x'.repeat(3 * rowCharacters)}\n\n\nlast`;
    const whole = new TextLayout(text);
    for (const size of [1, 2, 7, rowCharacters]) {
      const grown = new TextLayout();
      for (let at = 0; at < text.length; at += size) grown.append(text.slice(at, at + size));
      expect(all(grown)).toEqual(all(whole));
      expect(grown.characters).toBe(text.length);
    }
  });

  it('makes control sequences visible', () => {
    expect(texts(new TextLayout('\u001b[2Jgone'))).toEqual(['⟦U+001B⟧[2Jgone']);
  });
});

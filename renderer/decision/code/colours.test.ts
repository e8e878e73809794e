import { describe, expect, it } from 'vitest';
import { toCodeLines } from '../../../main/core/display.ts';
import { coloursOf } from './colours.ts';
import { lineText } from './lineText.ts';

const coloured = (code: string, language: string): readonly string[][] => {
  const lines = toCodeLines(code).map(lineText);
  return [...coloursOf(lines, language)]
    .flat()
    .map((spans, index) =>
      spans.map(({ from, to, look }) => `${look}: ${(lines[index] ?? '').slice(from, to).trim()}`),
    );
};

describe('colours of code', () => {
  it('name comments, strings, keywords and numbers', () => {
    expect(coloured("const a = 'x'; // why\nlet b = 42;", 'typescript')).toEqual([
      expect.arrayContaining(['keyword: const', "string: 'x'", 'comment: // why']),
      expect.arrayContaining(['keyword: let', 'numeral: 42']),
    ]);
    expect(coloured('def f():  # why\n  return "x"', 'python')).toEqual([
      expect.arrayContaining(['keyword: def', 'name: f', 'comment: # why']),
      expect.arrayContaining(['keyword: return', 'string: "x"']),
    ]);
  });

  it('go on from batch to batch, so that a comment over a thousand lines is one', () => {
    const lines = coloured(`/*\n${'words\n'.repeat(1000)}*/\nlet a;`, 'javascript');
    expect(lines).toHaveLength(1003);
    expect(lines[900]).toEqual(['comment: words']);
    expect(lines.at(-1)).toEqual(['keyword: let']);
  });

  it('are right after a mark, and none in a language that is not known', () => {
    expect(coloured("/*\u202e*/ const a = 'b';", 'typescript')[0]).toContain('keyword: const');
    expect(coloured('const a = 1;', 'constructor')).toEqual([]);
  });

  it('leave a line of a machine alone, and what follows has its own again', () => {
    const lines = coloured(`let a = "${'x'.repeat(200_000)}";\nlet b;`, 'typescript');
    expect(lines[0]).toEqual([]);
    expect(lines[1]).toEqual(['keyword: let']);
  });
});

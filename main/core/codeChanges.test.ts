import { describe, expect, it } from 'vitest';
import { codeChanges, type ReadCode } from './codeChanges.ts';
import { analyseCode } from './codeReport.ts';
import { parseHostRule } from './host.ts';
import { segmentText } from './segmentText.ts';

const read = (text: string): ReadCode => ({
  text,
  report: analyseCode(text, 'deno', { secrets: ['KEY'], hosts: [parseHostRule('api.example.com')] }),
});
const before = `import { add } from './add.js';
const key = Deno.env.get('KEY');
// Sums two numbers.
console.log(add(1, 2), key, await Deno.readTextFile('/tmp/a'));
`;
const changes = (after: string, was = before): readonly string[] =>
  codeChanges(read(was), read(after)).map(({ severity, text }) => `${severity}: ${segmentText(text)}`);

describe('code that changed', () => {
  it.each([
    [`${before}new Deno.Command('ls');\n`, 'danger: new in the code: it starts programs (Deno.Command, line 5)'],
    [`import 'npm:left-pad';\n${before}`, 'warn: new in the code: it imports npm:left-pad (line 1)'],
    [
      `${before}Deno.removeSync('/tmp/a');\n`,
      'warn: new in the code: it reads or writes files (Deno.removeSync, line 5)',
    ],
    [`${before}console.log(Deno.env.toObject());\n`, 'warn: new in the code: it reads its whole environment'],
    [`${before}// ${'x y '.repeat(300)}\n`, 'warn: new in the code: a line of 1203 characters'],
    [
      `${before}await fetch('https://evil.example.org/x');\n`,
      'warn: new in the code: it names evil.example.org, which this request does not declare; calls there are refused',
    ],
    [`${before}await fetch('https://1.2.3.4/');\n`, 'warn: new in the code: the address 1.2.3.4 instead of a name'],
    [
      `${before}const {\n`,
      'warn: the code cannot be parsed any more; what is said of it comes from a search in its text',
    ],
    [`${before}const x = '${'QUJD'.repeat(30)}';\n`, 'warn: new in the code: text that nobody can read'],
    [
      `${before}${' '.repeat(60)}fetch(1);\n`,
      'danger: new in the code: text far out of sight, behind blank space (line 5)',
    ],
    [`${before}const a = '\u200b';\n`, 'danger: new in the code: characters that cannot be seen (line 5)'],
  ])('%#', (after, sentence) => expect(changes(after)).toContainEqual(sentence));

  it.each([
    ['a comment', `// Words.\n${before}`],
    ['another number', before.replace('1, 2', '3, 4')],
    ['a line that moved', `\n\n\n${before}`],
    ['less of something', before.replace(", await Deno.readTextFile('/tmp/a')", '')],
    ['a declared host', `${before}await fetch('https://api.example.com/v1');\n`],
    ['a hash', `${before}const pinned = '${'ab12'.repeat(16)}';\n`],
  ])('says nothing about %s', (_what, after) => expect(changes(after)).toEqual([]));

  it('names what is new, not what was there and what only moved', () => {
    const risky = `${before}eval('1');\n`;
    expect(changes(`\n${risky}`, risky)).toEqual([]);
    expect(changes(`${risky}eval('2');\n`, risky)).toEqual([
      'danger: new in the code: it runs text as code (eval, line 6)',
    ]);
  });
});

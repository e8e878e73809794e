import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isShallow } from './nesting.ts';

describe('isShallow', () => {
  it('accepts ordinary code, long tables and long files', () => {
    for (const file of ['codeReportSyntax.ts', 'redaction.ts', 'display.ts']) {
      expect(isShallow(readFileSync(new URL(file, import.meta.url), 'utf8'))).toBe(true);
    }
    expect(isShallow(`const a = [${'[1, "x"],'.repeat(20_000)}];`)).toBe(true);
    expect(isShallow('const a = b(c);\n'.repeat(15_000))).toBe(true);
    expect(isShallow('const a = b(c)\n'.repeat(15_000))).toBe(true);
    expect(isShallow(`${'('.repeat(100)}1${')'.repeat(100)}`)).toBe(true);
  });

  // The stripper's stack breaks at these counts (amaro 1.2.1, each measured in a fresh process); the limit stays below half.
  it.each<[string, (count: number) => string, number]>([
    ['parentheses', (count) => `${'('.repeat(count)}1${')'.repeat(count)}`, 869],
    ['arrays', (count) => `${'['.repeat(count)}${']'.repeat(count)}`, 1337],
    ['arrow functions', (count) => `${'()=>'.repeat(count)}1`, 869],
    ['functions', (count) => `${'()=>{'.repeat(count)}1${'}'.repeat(count)}`, 576],
    ['classes', (count) => `a=class{${'b=class{'.repeat(count)}${'}'.repeat(count + 1)}`, 635],
    ['templates', (count) => `${'`${'.repeat(count)}1${'}`'.repeat(count)}`, 1044],
    ['objects', (count) => `x=${'{a:'.repeat(count)}1${'}'.repeat(count)}`, 927],
    ['generic types', (count) => `type A=${'B<'.repeat(count)}1${'>'.repeat(count)}`, 1161],
    ['conditions', (count) => `${'if(1)'.repeat(count)}1`, 1688],
    ['labels', (count) => `${'a:'.repeat(count)}1`, 2157],
    ['members', (count) => `a${'.b'.repeat(count)}`, 4264],
    ['sums', (count) => `1${'+1'.repeat(count)}`, 5669],
    ['negations', (count) => `${'!'.repeat(count)}1`, 5669],
    ['choices', (count) => `${'a?1:'.repeat(count)}1`, 3796],
    ['types of functions', (count) => `type A=${'()=>'.repeat(count)}B`, 1923],
  ])('refuses %s before the stripper breaks', (_name, build, breaksAt) => {
    expect(isShallow(build(Math.ceil(breaksAt * 0.6)))).toBe(false);
  });

  it('adds up nesting of several kinds', () => {
    expect(isShallow(`${'!('.repeat(200)}1${')'.repeat(200)}`)).toBe(false);
    expect(isShallow(`${'a.b.c.d.e(f['.repeat(100)}`)).toBe(false);
  });

  it('counts code that cannot be split into tokens as too deep', () => {
    expect(isShallow('const a = "')).toBe(false);
    expect(isShallow('\\')).toBe(false);
  });
});

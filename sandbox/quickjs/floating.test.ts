import { describe, expect, it } from 'vitest';
import { watchFloating } from './floating.ts';

/** Runs the watched code in Node and gives the names of the values that were looked at. */
async function lookedAt(code: string): Promise<unknown[]> {
  const seen: unknown[] = [];
  const watched = watchFloating(code);
  if (watched === null) throw new Error('did not parse');
  expect(watched.split('\n')).toHaveLength(code.split('\n').length);
  const body = watched.replace(/^#!.*/, '');
  await new (Object.getPrototypeOf(async () => {}).constructor)('__floating', 'log', body)(
    (value: unknown) => {
      seen.push(value);
      return value;
    },
    () => 'logged',
  );
  return seen;
}

describe('watchFloating', () => {
  it.each([
    ['log()', ['logged']],
    ['log();log()', ['logged', 'logged']],
    ['const a = 1 // note\nlog(a)\n', ['logged']],
    ['function f() {\n  log();\n}\nf()\n', [undefined]],
    ["'use strict'\nlog()", ['logged']],
    ['if (1) log()\nlog()', ['logged']],
    ['(() => 7)()', [7]],
    ['const a = 1;\n(() => 7)()', [7]],
    ['(log())', ['logged']],
    ['void log()', ['logged']],
    ['#!/usr/bin/env x\nlog()', ['logged']],
    ['/* first */ log() // last', ['logged']],
    ['await log(); const x = log(); [1].length; log?.()', []],
  ])('looks at the calls that stand alone in %j', async (code, values) => {
    expect(await lookedAt(code)).toEqual(values);
  });

  it('keeps the column of a statement that begins a line', () => {
    expect(watchFloating('let a\n  main(a)')).toBe('let a;__floating(\n  main(a))');
  });

  it.each(['const = 1', 'let a: number', '((', 'a\0'])('says that %j is no JavaScript', (code) => {
    expect(watchFloating(code)).toBeNull();
  });

  it('survives code that is nested too deeply to read', () => {
    expect(watchFloating('['.repeat(200_000))).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import { parseJsonPointer } from './jsonPointer.ts';

describe('a pointer into a JSON document', () => {
  it.each<[string, readonly string[]]>([
    ['/key', ['key']],
    ['/auth/key', ['auth', 'key']],
    ['/items/0', ['items', '0']],
    ['/a.b/c', ['a.b', 'c']],
    ['/a~1b/~0/~01', ['a/b', '~', '~1']],
    ['/', ['']],
    ['/käy/ ', ['käy', ' ']],
  ])('%s is read', (text, tokens) => {
    expect(parseJsonPointer(text)).toEqual(tokens);
  });

  it.each(['', 'key', 'auth.key', '/a~', '/a~2', '#/a', `/${'x'.repeat(300)}`])('%j is none', (text) => {
    expect(parseJsonPointer(text)).toBeNull();
  });
});

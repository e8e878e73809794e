import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonPointer } from '../core/jsonPointer.ts';
import { JsonTextError, jsonFields } from './bodyJson.ts';

const pointers = (...texts: readonly string[]) => texts.map((text) => parseJsonPointer(text) ?? []);
const inside = (text: string, ...wanted: readonly string[]): readonly string[] =>
  jsonFields(text, pointers(...wanted)).map(({ start, end }) => text.slice(start, end));

function reasonOf(text: string): string {
  try {
    jsonFields(text, []);
  } catch (error) {
    if (error instanceof JsonTextError) return error.reason;
  }
  return 'none';
}

/** Every string of a value with the pointer to it. */
function strings(value: unknown, pointer = ''): readonly (readonly [string, string])[] {
  if (typeof value === 'string') return [[pointer, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, entry]) =>
    strings(entry, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  );
}

describe('fields of a JSON text', () => {
  it('are not looked for in one that is nested deeper than any API takes', () => {
    const nested = (depth: number): string => `${'[{"a":'.repeat(depth / 2)}"]}["${'}]'.repeat(depth / 2)}`;
    expect(reasonOf(nested(512))).toBe('none');
    expect(reasonOf(nested(514))).toBe('too_deep');
    expect(reasonOf(`["${'[\\"'.repeat(600)}"${',[{}]'.repeat(600)}]`)).toBe('none');
    // Refused before it is read: this has no end.
    expect(reasonOf('['.repeat(600))).toBe('too_deep');
  });

  it('are strings at the end of a pointer, in the order of the text', () => {
    const text = '{ "b" : [1, "x", {"c": "y\\"z"}], "a": "w", "n": null }';
    expect(inside(text, '/a', '/b/1', '/b/2/c')).toEqual(['x', 'y\\"z', 'w']);
  });

  it('are not objects, numbers, keys, or what only begins like it', () => {
    expect(inside('{"a":{"b":"x"},"c":1,"d":["y"],"ab":"z"}', '/a', '/c', '/d', '/a/b/c', '/d/00', '/d/-')).toEqual([]);
    expect(inside('"whole"', '/a', '/')).toEqual([]);
  });

  it('know a key by what it says, not by how it is written', () => {
    expect(inside('{"\\u0061\\/b":"x"}', '/a~1b')).toEqual(['x']);
    expect(inside('{"__proto__":{"constructor":"x"}}', '/__proto__/constructor')).toEqual(['x']);
  });

  it('are not looked for in what readers could take in two ways', () => {
    for (const text of ['', '{', "{'a':1}", '{"a":1,}', '[1]]', '{"a":1}{"a":1}', '\ufeff{}', '{"a":"\n"}', '01']) {
      expect(reasonOf(text)).toBe('not_json');
    }
    for (const text of [
      '{"a":1,"a":1}',
      '{"a":1,"\\u0061":2}',
      '[{"b":{"":0,"":1}}]',
      '{"__proto__":1,"__proto__":2}',
    ]) {
      expect(reasonOf(text)).toBe('duplicate_key');
    }
    expect(reasonOf('{"a":{"a":{"a":1}},"b":{"a":1}}')).toBe('none');
  });

  it('are found in any document, each exactly once, and hold what a reader would read there', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.integer({ min: 0, max: 2 }), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        // What JSON says, where -0 is 0.
        const expected = strings(JSON.parse(text)).filter(([pointer]) => pointer !== '' && pointer.length <= 300);
        const found = jsonFields(text, pointers(...expected.map(([pointer]) => pointer)));
        expect(found.map(({ start, end }) => JSON.parse(text.slice(start - 1, end + 1)))).toHaveLength(expected.length);
        const byPointer = new Map(found.map(({ pointer, start, end }) => [pointer.join('\0'), text.slice(start, end)]));
        for (const [pointer, string] of expected) {
          const written = byPointer.get((parseJsonPointer(pointer) ?? []).join('\0'));
          expect(JSON.parse(`"${written}"`)).toBe(string);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('are found in long texts, and no depth overflows a stack', () => {
    expect(reasonOf(`${'['.repeat(200_000)}"x"${']'.repeat(200_000)}`)).toBe('too_deep');
    expect(inside(`{"long":"${'\\n'.repeat(500_000)}","a":"x"}`, '/a')).toEqual(['x']);
  });
});

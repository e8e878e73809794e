import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodedError } from '../../contract/errors.ts';
import { readJson } from './jsonBody.ts';

const read = (text: string): unknown => readJson(new TextEncoder().encode(text));
const refused = (text: string): boolean => {
  try {
    read(text);
    return false;
  } catch (error) {
    return error instanceof CodedError && error.code === 'invalid_request';
  }
};

describe('a body', () => {
  it('comes out as JSON.parse reads it', () => {
    const json = fc.jsonValue({ maxDepth: 8 }).filter((value) => !JSON.stringify(value).includes('__proto__'));
    fc.assert(
      fc.property(json, fc.nat(4), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(read(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('may hold anything inside of strings', () => {
    const odd = fc.string({
      unit: fc.constantFrom('"', '\\', '{', '}', '[', ',', ':', '__proto__', 'ud800', '\n', 'é', '😀'),
    });
    fc.assert(
      fc.property(odd, odd, (key, value) => {
        fc.pre(key !== '__proto__' && key !== 'b');
        const body = { [key]: [value, { [key]: value }], b: value };
        expect(read(JSON.stringify(body))).toEqual(body);
      }),
    );
  });

  it('may not name a key twice, however it is written and wherever it stands', () => {
    const key = fc.stringMatching(/^[a-z]{1,3}$/);
    fc.assert(
      fc.property(key, fc.boolean(), fc.nat(3), (name, escaped, depth) => {
        const again = escaped ? `\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}` : name;
        const twice = `{"x0":[],"${name}":{"y":1},"z9":"{","${again}":2}`;
        expect(refused(`${'[{"w":'.repeat(depth)}${twice}${'}]'.repeat(depth)}`)).toBe(true);
      }),
    );
  });

  it('may use the same key in different objects', () => {
    expect(read('{"a":{"a":[{"a":1},{"a":2}]},"b":{"a":1}}')).toEqual({ a: { a: [{ a: 1 }, { a: 2 }] }, b: { a: 1 } });
  });

  it('may be nested 32 levels deep and no deeper', () => {
    expect(refused(`${'['.repeat(32)}${']'.repeat(32)}`)).toBe(false);
    expect(refused(`${'['.repeat(33)}${']'.repeat(33)}`)).toBe(true);
    expect(refused(`[${'[],'.repeat(1000)}[]]`)).toBe(false);
  });

  it('keeps whole surrogate pairs and refuses halves', () => {
    expect(read('["\\ud83d\\ude00","\\\\ud800"]')).toEqual(['😀', '\\ud800']);
    for (const half of ['"\\ud83d"', '"\\ude00\\ud83d"', '{"\\udc00":1}']) expect(refused(half)).toBe(true);
  });

  it('is looked through in time that grows with its length only', () => {
    const startedAt = performance.now();
    read(JSON.stringify({ code: '\\"'.repeat(200_000), list: Array.from({ length: 50_000 }, (_, at) => at) }));
    read(`["${'\\\\'.repeat(400_000)}"]`);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

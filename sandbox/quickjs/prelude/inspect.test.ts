import { inspect as nodeInspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { makeInspect } from './inspect.ts';

const inspect = makeInspect();

class Point {
  x = 1;
  y = { deep: true };
}

const circular: Record<string, unknown> = { name: 'self' };
circular.me = circular;

const sparse = [1, 2, 3];
sparse[10] = 4;

const values: readonly (readonly [string, unknown])[] = [
  [
    'a chat completion',
    { id: 'c', choices: [{ index: 0, message: { role: 'assistant', content: 'Hi!' } }], usage: { total_tokens: 3 } },
  ],
  ['scalars', [1, -0, "it's", 'a "b" \'c\'', true, null, undefined, 10n, Symbol('s')]],
  ['a deep object', { a: { b: { c: { d: 1 } } }, list: [[[[1]]]] }],
  [
    'a long object',
    Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`key${index}`, `value number ${index}`])),
  ],
  ['numbers in columns', Array.from({ length: 60 }, (_, index) => index * index)],
  ['words in columns', Array.from({ length: 30 }, (_, index) => `word${index}`)],
  ['more than a hundred', Array.from({ length: 120 }, (_, index) => index)],
  ['a sparse array', sparse],
  ['a class instance', new Point()],
  ['a null prototype', Object.assign(Object.create(null), { a: 1 })],
  [
    'maps and sets',
    [
      new Map<unknown, unknown>([
        ['a', { b: 1 }],
        [{ k: 1 }, 2],
      ]),
      new Set([1, 'two']),
    ],
  ],
  ['a circle', circular],
  ['functions', { plain() {}, arrow: () => 1, anonymous: [() => 1][0], Point, async later() {} }],
  [
    'accessors',
    {
      get a() {
        return 1;
      },
      set a(_value) {},
      get b() {
        return 2;
      },
    },
  ],
  ['dates and expressions', [new Date(0), /a+/gi, new Date(Number.NaN)]],
  ['bytes', new Uint8Array([1, 2, 3])],
  ['odd keys', { 'a-b': 1, 2: 3, [Symbol('k')]: 4 }],
  ['empty things', [{}, [], new Map(), new Set(), '']],
  ['text with lines', { text: 'one\ntwo\ttab', long: 'x'.repeat(90) }],
  ['an array with a name', Object.assign([1, 2], { extra: true })],
  ['boxed', [Object(1), Object('s'), Object(false)]],
];

describe('inspect', () => {
  it.each(values)('shows %s as Node does', (_name, value) => {
    expect(inspect(value)).toBe(nodeInspect(value));
  });

  it('shows an error with its name, message, stack and cause', () => {
    const error = new TypeError('outer', { cause: new Error('inner') });
    const text = inspect(error);
    expect(text).toContain('TypeError: outer');
    expect(text).toContain('[cause]: Error: inner');
  });
});

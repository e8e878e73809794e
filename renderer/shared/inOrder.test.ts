import { describe, expect, it } from 'vitest';
import { inOrder } from './inOrder.ts';

describe('answers that come in any order', () => {
  it('count while none of a later question came', () => {
    const ask = inOrder();
    const [first, second, third] = [ask(), ask(), ask()];
    expect([first(), second(), third()]).toEqual([true, true, true]);
  });

  it('do not count after one of a later question', () => {
    const ask = inOrder();
    const [first, second, third] = [ask(), ask(), ask()];
    expect([second(), first(), third()]).toEqual([true, false, true]);
  });
});

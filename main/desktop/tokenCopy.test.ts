import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TokenCopy } from './tokenCopy.ts';

const token = `oa3_${'a'.repeat(43)}`;
let held = '';
let tokens: TokenCopy;

beforeEach(() => {
  vi.useFakeTimers();
  held = 'something of the owner';
  tokens = new TokenCopy({
    read: async () => held,
    write: (text) => {
      held = text;
    },
    clear: () => {
      held = '';
    },
  });
});
afterEach(() => vi.useRealTimers());

describe('the token of an agent in the clipboard (ATTACKS O249)', () => {
  it('is gone after a minute', async () => {
    tokens.copy(token);
    await vi.advanceTimersByTimeAsync(59_999);
    expect(held).toBe(token);
    await vi.advanceTimersByTimeAsync(1);
    expect(held).toBe('');
  });

  it('counts its minute from the last time', async () => {
    tokens.copy(token);
    await vi.advanceTimersByTimeAsync(50_000);
    tokens.copy(token);
    await vi.advanceTimersByTimeAsync(50_000);
    expect(held).toBe(token);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(held).toBe('');
  });

  it('is taken back when the app ends, and what was copied meanwhile stays', async () => {
    tokens.copy(token);
    await tokens.takeBack();
    expect(held).toBe('');
    tokens.copy(token);
    held = 'copied later';
    await tokens.takeBack();
    expect(held).toBe('copied later');
    await tokens.takeBack();
    expect(held).toBe('copied later');
  });
});

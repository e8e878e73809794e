import { describe, expect, it } from 'vitest';
import { moreMinutes, timeLeftText } from './timeLeft.ts';

const minute = 60_000;

describe('the time that is left', () => {
  it.each([
    [-1, 'Time is over'],
    [1, '1 second left'],
    [119_000, '119 seconds left'],
    [2 * minute, '2 minutes left'],
    [29.9 * minute, '29 minutes left'],
    [119 * minute, '119 minutes left'],
    [24 * 60 * minute, '24 hours left'],
  ])('is told in words: %d ms', (leftMs, words) => {
    expect(timeLeftText(leftMs)).toBe(words);
  });

  it('becomes half an hour more, up to a day', () => {
    expect(moreMinutes(28.2 * minute)).toBe(59);
    expect(moreMinutes(-5)).toBe(30);
    expect(moreMinutes(24 * 60 * minute)).toBe(1440);
  });
});

import { describe, expect, it } from 'vitest';
import { UsageError } from './input.ts';
import { readTime } from './when.ts';

const now = Date.UTC(2026, 0, 31, 12);

describe('a time on the command line', () => {
  it('is a day of this place, from its first to its last moment', () => {
    expect(readTime('--since', '2026-01-31', false)).toBe(new Date(2026, 0, 31).toISOString());
    expect(readTime('--until', '2026-01-31', true)).toBe(new Date(2026, 0, 31, 23, 59, 59, 999).toISOString());
  });

  it('is a full time with its zone, or how long ago', () => {
    expect(readTime('--since', '2026-01-31T12:00:00+01:00', false)).toBe('2026-01-31T11:00:00.000Z');
    expect(readTime('--since', '90m', false, now)).toBe('2026-01-31T10:30:00.000Z');
    expect(readTime('--since', '7d', false, now)).toBe('2026-01-24T12:00:00.000Z');
  });

  it.each(['yesterday', '', '2026-13-45T00:00:00Z', '2026-01-31T12:00:00', '7w', '31'])(
    'is never guessed: %j',
    (text) => {
      expect(() => readTime('--since', text, false)).toThrow(UsageError);
    },
  );
});

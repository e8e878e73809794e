import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { whyPredictable } from './predictable.ts';

describe('a value that anybody knows', () => {
  it.each(['12345678', '20260101', '20260101123000', '1767225600000', '3.14159265', '+49301234567'])(
    'is a number: %s',
    (value) => expect(whyPredictable(value)).toContain('number'),
  );

  it.each(['2026-01-01', '01.01.2026', '2026-01-01T12:30:00Z', '2026-01-01 12:30:00.123+02:00', '1/31/2026'])(
    'is a date: %s',
    (value) => expect(whyPredictable(value)).toContain('date'),
  );

  it.each(['aaaaaaaa', 'abababab', 'xxyyzzxxyyzz', '--------', '0x00000000'])('has too few characters: %s', (value) =>
    expect(whyPredictable(value)).toContain('few'),
  );

  it.each([
    'abcdefgh',
    'ABCDEFGHIJKLMNOP',
    'hgfedcba',
    'qwertyuiop',
    'asdfghjkl',
    'abcd1234',
    'aabbccddeeff',
    '1qwertz!!',
  ])('is a sequence: %s', (value) => expect(whyPredictable(value)).toContain('sequence'));

  it.each([
    'authorization',
    'Performance',
    'UNDEFINED',
    'application/json',
    'content-type',
    'your_api_key',
    'api.example.com',
    '[redacted]',
    'Übersetzung',
    'localhost',
    'Password2024!',
    'p@ssw0rd',
    'letmein1234',
    'test_1357',
  ])('is made of words: %s', (value) => expect(whyPredictable(value)).toContain('words'));
});

describe('a value that may be a secret', () => {
  it.each([
    ['a password of 16 letters that a service made', 'qzkvhwtbnyrmxjpd'],
    ['the same with spaces', 'qzkv hwtb nyrm xjpd'],
    ['a sentence', 'seven green boats went home'],
    ['letters and digits', 'k7w2m9x4'],
    ['letters of both cases', 'qZkVhWtB'],
    ['a long number', '904158273640581927'],
  ])('%s', (_what, value) => expect(whyPredictable(value)).toBeNull());

  it('in any usual random form', () => {
    for (let turn = 0; turn < 500; turn += 1) {
      const bytes = randomBytes(16);
      for (const value of [bytes.toString('hex'), bytes.toString('base64'), `sk-${bytes.toString('base64url')}`]) {
        expect(whyPredictable(value)).toBeNull();
      }
    }
  });
});

import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decryptValue, encryptValue, type ValueOwner } from './valueCipher.ts';

const owner: ValueOwner = { id: 'sec_1', name: 'API_KEY', version: 3 };

describe('an encrypted value', () => {
  const key = randomBytes(32);
  const value = `test-${randomBytes(12).toString('hex')} ✓`;

  it('opens for the secret that it belongs to', () => {
    expect(decryptValue(key, owner, encryptValue(key, owner, value))).toBe(value);
  });

  it('looks different every time and never shows the value', () => {
    const [one, two] = [Buffer.from(encryptValue(key, owner, value)), Buffer.from(encryptValue(key, owner, value))];
    expect(one).not.toEqual(two);
    expect(one.includes(value)).toBe(false);
  });

  it.each([
    ['another id', { ...owner, id: 'sec_2' }],
    ['another name', { ...owner, name: 'API_KEX' }],
    ['an earlier version', { ...owner, version: 2 }],
    ['parts that only join to the same text', { id: 'sec_1A', name: 'PI_KEY', version: 3 }],
  ])('does not open for %s', (_what, other) => {
    expect(() => decryptValue(key, other, encryptValue(key, owner, value))).toThrow();
  });

  it('does not open when a byte was changed, cut off or added', () => {
    const bytes = Buffer.from(encryptValue(key, owner, value));
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => decryptValue(key, owner, changed)).toThrow();
    }
    expect(() => decryptValue(key, owner, bytes.subarray(0, -1))).toThrow();
    expect(() => decryptValue(key, owner, Buffer.concat([bytes, Buffer.of(0)]))).toThrow();
    expect(() => decryptValue(key, owner, bytes.subarray(0, 10))).toThrow();
  });

  it('does not open with another key', () => {
    expect(() => decryptValue(randomBytes(32), owner, encryptValue(key, owner, value))).toThrow();
  });
});

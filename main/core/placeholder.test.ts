import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makePlaceholder, PLACEHOLDER_PATTERN } from './placeholder.ts';

describe('placeholders', () => {
  it('imitate the prefix of a key and are safe in headers and URLs', () => {
    const placeholder = makePlaceholder(randomBytes(24), 'sk-');
    expect(placeholder).toMatch(/^sk-oauth3-[0-9A-Za-z]{33}$/);
    expect(encodeURIComponent(placeholder)).toBe(placeholder);
  });

  it('keep every random bit: other bytes, another placeholder', () => {
    const bytes = randomBytes(24);
    const seen = new Set([makePlaceholder(bytes)]);
    for (let bit = 0; bit < 192; bit += 1) {
      const changed = Uint8Array.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      seen.add(makePlaceholder(changed));
    }
    expect(seen.size).toBe(193);
  });

  it('refuse too little randomness and a prefix that does not fit', () => {
    expect(() => makePlaceholder(randomBytes(23))).toThrow(RangeError);
    expect(() => makePlaceholder(randomBytes(24), 'a b')).toThrow(RangeError);
    expect(() => makePlaceholder(randomBytes(24), 'x'.repeat(17))).toThrow(RangeError);
  });

  it('are recognised in any text, also those of another run', () => {
    const [first, second] = [makePlaceholder(randomBytes(24)), makePlaceholder(randomBytes(24), 'ghp_')];
    const text = `Bearer ${first}, and "${second}"`;
    expect(text.match(PLACEHOLDER_PATTERN)).toHaveLength(2);
    expect('oauth3-short and OAUTH3'.match(PLACEHOLDER_PATTERN)).toBeNull();
  });
});

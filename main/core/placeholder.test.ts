import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makePlaceholder, PLACEHOLDER_PATTERN, placeholderRandomBytes } from './placeholder.ts';

const random = (): Uint8Array => randomBytes(placeholderRandomBytes);

describe('placeholders', () => {
  it('imitate the prefix of a key and are safe in headers, URLs and JSON', () => {
    const placeholder = makePlaceholder(random(), { prefix: 'sk-' });
    expect(placeholder).toMatch(/^sk-oauth3[0-9A-Za-z]{33}$/);
    expect(encodeURIComponent(placeholder)).toBe(placeholder);
    expect(JSON.stringify(placeholder)).toBe(`"${placeholder}"`);
  });

  it('are as long as the key, with letters and digits behind its prefix', () => {
    expect(makePlaceholder(random(), { prefix: 'ghp_', length: 40 })).toMatch(/^ghp_[A-Za-z0-9]{36}$/);
    expect(makePlaceholder(random(), { prefix: 'sk-', length: 51 })).toMatch(/^sk-[A-Za-z0-9]{48}$/);
    expect(makePlaceholder(random(), { prefix: 'sk-ant-api03-', length: 108 })).toHaveLength(108);
  });

  it('never repeat, nor any digit at its place in all of them', () => {
    const made = Array.from({ length: 500 }, () => makePlaceholder(random(), { prefix: '', length: 128 }).slice(6));
    expect(new Set(made).size).toBe(500);
    for (let at = 0; at < 122; at += 1) expect(new Set(made.map((text) => text[at])).size).toBeGreaterThan(50);
  });

  it('refuse too little randomness, also for a short key, and a shape that does not fit', () => {
    expect(() => makePlaceholder(randomBytes(95))).toThrow(RangeError);
    expect(() => makePlaceholder(random(), { prefix: 'a b' })).toThrow(RangeError);
    expect(() => makePlaceholder(random(), { prefix: 'x'.repeat(17) })).toThrow(RangeError);
    expect(() => makePlaceholder(random(), { prefix: 'glpat-', length: 26 })).toThrow(RangeError);
    expect(makePlaceholder(random(), { prefix: 'glpat-', length: 34 })).toHaveLength(34);
    expect(() => makePlaceholder(random(), { prefix: '', length: 129 })).toThrow(RangeError);
  });

  it('are recognised in any text, also those of another run', () => {
    const [first, second] = [makePlaceholder(random()), makePlaceholder(random(), { prefix: 'sk-', length: 35 })];
    const text = `Bearer ${first}, and "${second}"`;
    expect(text.match(PLACEHOLDER_PATTERN)).toHaveLength(2);
    expect('oauth3short and OAUTH3, oauth3-openclaw'.match(PLACEHOLDER_PATTERN)).toBeNull();
  });
});

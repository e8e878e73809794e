import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makeId } from './ids.ts';

describe('makeId', () => {
  it('says by its prefix what it names, and is never the same twice', () => {
    const ids = Array.from({ length: 200 }, () => makeId('req', randomBytes));
    for (const id of ids) expect(id).toMatch(/^req_[0-9A-Za-z]{22}$/);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('has one length, whatever the random bytes', () => {
    expect(makeId('req', (bytes) => new Uint8Array(bytes))).toBe(`req_${'0'.repeat(22)}`);
    expect(makeId('req', (bytes) => new Uint8Array(bytes).fill(255))).toHaveLength(26);
  });
});

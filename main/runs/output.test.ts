import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Redactor } from '../core/redaction.ts';
import { maxOutputBytes, RunOutput } from './output.ts';

const secret = `sk-${randomBytes(18).toString('hex')}`;
const redactor = new Redactor([{ name: 'KEY', value: secret }]);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const output = (onFlood = (): void => {}): RunOutput => new RunOutput(redactor.stream(), onFlood);

describe('the output of a run', () => {
  it('masks a secret that comes in pieces', () => {
    const stdout = output();
    for (const character of `key=${secret};`) stdout.push(bytes(character));
    expect(stdout.end()).toBe('key=[redacted];');
    expect(stdout.redactions).toBe(1);
  });

  it('masks a secret that is still held back when the code ends', () => {
    const stdout = output();
    stdout.push(bytes(secret));
    expect(stdout.end()).not.toContain(secret);
  });

  it('keeps exactly one MiB, and does not call that truncated', () => {
    const stdout = output();
    stdout.push(bytes('x'.repeat(maxOutputBytes)));
    expect(stdout.end()).toHaveLength(maxOutputBytes);
    expect(stdout.truncated).toBe(false);
  });

  it('flags what is longer, and keeps nothing of a secret at the cut', () => {
    const stdout = output();
    const before = 'x'.repeat(maxOutputBytes - 10);
    stdout.push(bytes(`${before}${secret} and more`));
    const text = stdout.end();
    expect(stdout.truncated).toBe(true);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxOutputBytes);
    expect(text.slice(before.length)).toBe('[redacted]'.slice(0, 10));
  });

  it('does not end in half a character', () => {
    const stdout = output();
    stdout.push(bytes(`${'x'.repeat(maxOutputBytes - 1)}€€`));
    expect(stdout.end().endsWith('x')).toBe(true);
  });

  it('shows invalid UTF-8 as replacement characters', () => {
    const stdout = output();
    stdout.push(Uint8Array.from([0x61, 0xff, 0x62]));
    expect(stdout.end()).toBe('a\ufffdb');
  });

  it('calls for an end when the code only floods', () => {
    let floods = 0;
    const stdout = output(() => {
      floods += 1;
    });
    const chunk = new Uint8Array(8 * 1024 * 1024);
    for (let written = 0; written < 8; written += 1) stdout.push(chunk);
    expect(floods).toBe(0);
    stdout.push(chunk);
    expect(floods).toBe(1);
  });
});

describe('following the output of a run', () => {
  it('gives at no moment a byte of a secret, whichever way it comes', () => {
    const all = bytes(`key=${secret}; again ${secret}${secret} end`);
    for (const size of [1, 2, 3, 7, secret.length]) {
      const stdout = output();
      const next = stdout.reader();
      const seen: string[] = [];
      for (let start = 0; start < all.length; start += size) {
        stdout.push(all.subarray(start, start + size));
        seen.push(next());
      }
      const whole = stdout.end();
      seen.push(next());
      expect(seen.join('')).toBe(whole);
      expect(whole).toBe('key=[redacted]; again [redacted][redacted] end');
    }
  });

  it('holds back the beginning of what may become a secret', () => {
    const stdout = output();
    const next = stdout.reader();
    stdout.push(bytes(`key=${secret.slice(0, 12)}`));
    expect(next()).toBe('key=');
    stdout.push(bytes('; no'));
    expect(next().startsWith(`${secret.slice(0, 12)};`)).toBe(true);
  });

  it.each([
    ['characters of four bytes', 'aé€😀'.repeat(50), false],
    ['bytes that are no text', '\u{1f600}', true],
  ])('is the same as the result at the end: %s', (_, text, odd) => {
    const stdout = output();
    const next = stdout.reader();
    const all = odd ? Uint8Array.from([...bytes(text), 0xff, 0xf0, 0x80, 0xe2, 0x82]) : bytes(text);
    const seen = [...all].map((byte) => {
      stdout.push(Uint8Array.of(byte));
      return next();
    });
    for (const piece of seen) expect(Buffer.from(piece).toString()).toBe(piece);
    const whole = stdout.end();
    expect(seen.join('') + next()).toBe(whole);
    if (!odd) expect(whole).toBe(text);
  });

  it.each([0, 1, 2, 3])('is the same as the result where the cap cuts a character, %i bytes into it', (into) => {
    const stdout = output();
    const next = stdout.reader();
    stdout.push(bytes(`${'x'.repeat(maxOutputBytes - into)}😀 and more`));
    const seen = next();
    expect(seen).toBe('x'.repeat(maxOutputBytes - into));
    expect(stdout.end()).toBe(seen);
    expect(next()).toBe('');
  });
});

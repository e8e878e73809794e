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

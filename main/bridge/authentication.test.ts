import { describe, expect, it } from 'vitest';
import { isLoopback } from './authentication.ts';

describe('the machine that a caller is on', () => {
  it.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])('is this one for %s', (address) => {
    expect(isLoopback(address)).toBe(true);
  });
  it.each(['192.168.1.2', '::ffff:192.168.1.2', 'fe80::1', '::', '0.0.0.0', '127.0.0.1.evil.com', '', undefined])(
    'is another one for %s',
    (address) => {
      expect(isLoopback(address)).toBe(false);
    },
  );
});

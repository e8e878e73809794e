import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RunAuthority } from './authority.ts';

const hourMs = 3_600_000;
const clockAt = (start: number) => {
  let now = start;
  return { wallMs: () => now, monotonicMs: () => now, pass: (ms: number) => (now += ms) };
};

describe('the authority of a run', () => {
  it('is good from an hour ago for 24 hours, and again after it is renewed, with the same key', async () => {
    const clock = clockAt(Date.parse('2026-05-01T12:00:00Z'));
    const authority = await RunAuthority.create(clock);
    const first = new X509Certificate(authority.pem);
    expect([first.validFrom, first.validTo].map((text) => new Date(text).toISOString())).toEqual([
      '2026-05-01T11:00:00.000Z',
      '2026-05-02T11:00:00.000Z',
    ]);
    const context = await authority.contextFor('api.example.com');
    clock.pass(20 * hourMs);
    await authority.renew();
    const second = new X509Certificate(authority.pem);
    expect(new Date(second.validTo).toISOString()).toBe('2026-05-03T07:00:00.000Z');
    expect(second.publicKey.equals(first.publicKey)).toBe(true);
    expect(await authority.contextFor('api.example.com')).not.toBe(context);
  });

  it('has a name and a serial of its own', async () => {
    const clock = clockAt(Date.now());
    const [one, two] = await Promise.all([RunAuthority.create(clock), RunAuthority.create(clock)]);
    const [first, second] = [new X509Certificate(one.pem), new X509Certificate(two.pem)];
    expect(first.subject).not.toBe(second.subject);
    expect(first.serialNumber).not.toBe(second.serialNumber);
    expect(first.publicKey.equals(second.publicKey)).toBe(false);
  });

  it('signs for names longer than a common name may be, and for addresses', async () => {
    const authority = await RunAuthority.create(clockAt(Date.now()));
    await authority.contextFor(`${'a'.repeat(60)}.${'b'.repeat(60)}.example.com`);
    await authority.contextFor('[2001:db8::1]');
    await authority.contextFor('192.0.2.1');
  });

  it('makes one certificate for many who ask at once', async () => {
    const authority = await RunAuthority.create(clockAt(Date.now()));
    const contexts = await Promise.all(Array.from({ length: 10 }, () => authority.contextFor('api.example.com')));
    expect(new Set(contexts).size).toBe(1);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalHost,
  formatHostRule,
  HostSyntaxError,
  isLocalName,
  parseHostRule,
  registrableDomain,
} from './host.ts';

const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,10}[a-z0-9])?$/);
const publicHost = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => `${labels.join('.')}.example.com`);

describe('host rules', () => {
  it('say in one spelling what they were given in another', () => {
    fc.assert(
      fc.property(publicHost, fc.integer({ min: 1, max: 65_535 }), (host, port) => {
        const text = `${host.toUpperCase()}.:${port}`;
        const rule = parseHostRule(text);
        expect(rule).toEqual({ host, port });
        expect(parseHostRule(formatHostRule(rule))).toEqual(rule);
      }),
    );
  });

  it('never fail in another way than with their own error, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.webAuthority()), (text) => {
        try {
          const host = canonicalHost(text);
          expect(new URL(`https://${host}/`).hostname).toBe(host);
          expect(canonicalHost(host)).toBe(host);
        } catch (error) {
          expect(error).toBeInstanceOf(HostSyntaxError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('tell the caller what was wrong', () => {
    expect(() => parseHostRule('10.0.0.1')).toThrow(/declared it as a local service/);
    try {
      parseHostRule('*.co.uk');
    } catch (error) {
      expect(error).toMatchObject({ code: 'invalid_host', input: '*.co.uk' });
    }
  });

  it('know local names from public ones', () => {
    expect(isLocalName('homeassistant.local')).toBe(true);
    expect(isLocalName('homeassistant')).toBe(true);
    expect(isLocalName('api.openai.com')).toBe(false);
    expect(isLocalName('foo.github.io')).toBe(false);
  });

  it('know who registered a name', () => {
    expect(registrableDomain('a.b.example.co.uk')).toBe('example.co.uk');
    expect(registrableDomain('a.foo.github.io')).toBe('foo.github.io');
    expect(registrableDomain('github.io')).toBeNull();
    expect(registrableDomain('1.2.3.4')).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import { toVisibleText } from '../../main/core/display.ts';
import {
  canonicalHost,
  compareHostRules,
  formatHostRule,
  type HostRule,
  HostSyntaxError,
  isEchoHost,
  matchesAny,
  matchesHostRule,
  parseHostRule,
} from '../../main/core/host.ts';

const rule = parseHostRule('api.allowed.com');

/** The verdict of the door: the host as the wire has it, against one list. */
const allows = (rules: readonly HostRule[], host: string, port = 443): boolean => {
  try {
    return matchesAny(rules, canonicalHost(host), port);
  } catch (error) {
    if (error instanceof HostSyntaxError) return false;
    throw error;
  }
};
const refusedEntry = (text: string): void => {
  expect(() => parseHostRule(text), JSON.stringify(text)).toThrow(HostSyntaxError);
};

describe('A: host strings and the allow-list', () => {
  it('A1 case does not matter and one spelling is kept', () => {
    expect(allows([rule], 'API.Allowed.COM')).toBe(true);
    expect(canonicalHost('API.Allowed.COM')).toBe('api.allowed.com');
    expect(parseHostRule('API.Allowed.COM')).toEqual(rule);
  });

  it('A2 exactly one trailing dot is dropped', () => {
    expect(allows([rule], 'api.allowed.com.')).toBe(true);
    expect(canonicalHost('api.allowed.com.')).toBe('api.allowed.com');
  });

  it.each(['api.allowed.com..', '.api.allowed.com', 'a..allowed.com', '.', '..', ''])('A3 empty label: %j', (host) => {
    expect(allows([rule, parseHostRule('*.allowed.com')], host)).toBe(false);
    refusedEntry(host);
  });

  it.each(['evil.com\0.allowed.com', 'localhost\0.allowed.com', 'api.allowed.com\0'])('A4 NUL: %j', (host) => {
    expect(allows([rule, parseHostRule('*.allowed.com')], host)).toBe(false);
    refusedEntry(host);
  });

  it.each(['evil.com%00.allowed.com', 'api%2eallowed.com', 'evil.com%2f.allowed.com', 'api.allowed%2ecom'])(
    'A5 percent: %j',
    (host) => {
      expect(allows([rule, parseHostRule('*.allowed.com')], host)).toBe(false);
      refusedEntry(host);
    },
  );

  it.each([
    'evilallowed.com',
    'api.allowed.com.evil.com',
    'xapi.allowed.com',
    'api-allowed.com',
    'allowed.com',
    'x.api.allowed.com',
  ])('A6 whole labels are compared: %j', (host) => expect(allows([rule], host)).toBe(false));

  it('A7 a wildcard stands for exactly one label', () => {
    const wildcard = parseHostRule('*.allowed.com');
    expect(allows([wildcard], 'a.allowed.com')).toBe(true);
    expect(allows([wildcard], 'allowed.com')).toBe(false);
    expect(allows([wildcard], 'a.b.allowed.com')).toBe(false);
    expect(allows([wildcard], 'evilallowed.com')).toBe(false);
    expect(allows([wildcard], '*.allowed.com')).toBe(false);
    expect(matchesHostRule({ host: '*.2.3.4', port: 443 }, '1.2.3.4', 443)).toBe(false);
  });

  it.each([
    '*',
    '*.',
    '*.com',
    '*.co.uk',
    '*.github.io',
    'allowed.*',
    '*allowed.com',
    'a*.x.com',
    '*.*.x.com',
    '**.x.com',
    '*.localhost',
    '*.1.2.3.4',
    '*.s3.amazonaws.com',
  ])('A8 entry %j is refused', refusedEntry);

  it.each([
    'https://allowed.com',
    'allowed.com/',
    'allowed.com/path',
    'user@allowed.com',
    'user:password@allowed.com',
    'allowed.com:0',
    'allowed.com:65536',
    ' allowed.com',
    'allowed.com ',
    'allowed.com, b.com',
    'allowed.com\n',
    'allowed.com\r\nHost: evil.com',
    'allowed.com#x',
    'allowed.com?x',
    'allowed.com\\x',
    'allowed .com',
    'allowed.com\u00a0',
    "allowed.com'",
  ])('A9 entry %j is refused', refusedEntry);

  it('A10 an empty list blocks everything', () => {
    expect(allows([], 'api.allowed.com')).toBe(false);
    expect(matchesAny([], '', 443)).toBe(false);
  });

  it.each([
    'allowed.com@evil.com',
    'http://allowed.com@evil.com/',
    'api.allowed.com@evil.com',
    'api.allowed.com:443@evil.com',
  ])('A11 userinfo: %j', (host) => {
    expect(allows([rule], host)).toBe(false);
    refusedEntry(host);
  });

  it.each(['http:\\\\api.allowed.com', 'http:/api.allowed.com', 'http:api.allowed.com', '//api.allowed.com'])(
    'A13 half a URL is no host: %j',
    (host) => {
      expect(allows([rule], host)).toBe(false);
      refusedEntry(host);
    },
  );

  it('A15 foreign letters are kept and shown as punycode only', () => {
    const lookalike = parseHostRule('\u0430llowed.com');
    expect(formatHostRule(lookalike)).toBe('xn--llowed-2nf.com');
    expect(allows([lookalike], 'allowed.com')).toBe(false);
    expect(allows([parseHostRule('allowed.com')], '\u0430llowed.com')).toBe(false);
    expect(toVisibleText(formatHostRule(lookalike))).toBe('xn--llowed-2nf.com');
  });

  it.each([
    '\uff41llowed.com',
    'allowed\u3002com',
    'allowed\uff0ecom',
    '\u212aallowed.com',
    'allo\u00adwed.com',
    'allo\u200bwed.com',
    '\ufeffallowed.com',
    'allowed.c\u2092m',
    '\u2460.com',
    'all\u202eowed.com',
    'allowed.com\u034f',
    '\u00fc\u034f.com',
    '\u00fc\u200d.com',
    '\u00fc\u200d.com',
    '\u3164.com',
  ])('A15 letters that fold to plain ones, and unseen ones, are refused: %j', (host) => {
    expect(() => canonicalHost(host)).toThrow(HostSyntaxError);
    refusedEntry(host);
  });

  it.each([
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '127.1',
    '0',
    '0x7f000001',
    '127.0.0.1.',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    'foo.0x1',
    'a.1',
    '127.0.0.0x1',
    '\u2460\u2461\u2466.0.0.1',
  ])('A17 numeric spelling of an address: %j', (host) => {
    expect(() => canonicalHost(host.replace(/\.$/, '.0x0'))).toThrow(/IP address in an unusual spelling|disguise/);
    expect(allows([rule, parseHostRule('*.allowed.com')], host)).toBe(false);
    refusedEntry(host);
  });

  it.each([
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[fe80::1%25eth0]',
    '[fe80::1%eth0]',
    '1.2.3.4',
    '::1',
    '[::1',
    '[1.2.3.4]',
    '[0:0:0:0:0:0:0:1]',
    '[::1]x',
    '[]',
  ])('A18 IP literal: %j', (host) => {
    expect(allows([rule, parseHostRule('*.allowed.com')], host)).toBe(false);
    refusedEntry(host);
  });

  it('A18 an address can be named when the owner declared that very address', () => {
    const localNames = new Set(['192.168.1.5', '[::1]']);
    expect(parseHostRule('192.168.1.5:8123', { localNames })).toEqual({ host: '192.168.1.5', port: 8123 });
    expect(allows([parseHostRule('[::1]:80', { localNames })], '[::1]', 80)).toBe(true);
    expect(() => parseHostRule('192.168.1.6', { localNames })).toThrow(HostSyntaxError);
  });

  it('A19 an entry without a port means 443 only', () => {
    expect(rule.port).toBe(443);
    for (const port of [80, 22, 8443, 0, -1, 4430, Number.NaN])
      expect(allows([rule], 'api.allowed.com', port)).toBe(false);
  });

  it.each([
    'api.allowed.com:0443',
    'api.allowed.com:443:80',
    'api.allowed.com:-1',
    'api.allowed.com:99999',
    'api.allowed.com:',
    'api.allowed.com:+443',
    'api.allowed.com:4e2',
    'api.allowed.com: 443',
    'api.allowed.com:\u0664\u0664\u0663',
    ':443',
    '[::1]:',
    '[::1]443',
  ])('A19 port %j is refused', refusedEntry);

  it.each([
    `${'x'.repeat(64)}.com`,
    `${'x.'.repeat(126)}com`,
    `${'x.'.repeat(126)}co`,
    '-a.com',
    'a-.com',
    'a_b.com',
    `${'x'.repeat(100_000)}.com`,
    'a.-',
    `\u00fc${'\u00fc'.repeat(63)}.com`,
  ])('A21 malformed name is refused with a coded error (%#)', (host) => {
    refusedEntry(host);
    expect(() => canonicalHost(host)).toThrow(HostSyntaxError);
  });

  it('A22 matching is linear: ten thousand entries and a hostile pattern take no time', () => {
    refusedEntry('a*'.repeat(140));
    refusedEntry(`${'a*'.repeat(5000)}.com`);
    const rules = Array.from({ length: 10_000 }, (_, index) => ({ host: `*.h${index}.example.com`, port: 443 }));
    const started = performance.now();
    for (let turn = 0; turn < 100; turn += 1)
      expect(matchesAny(rules, `${'a.'.repeat(100)}example.com`, 443)).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it.each([
    'localhost',
    'LOCALHOST.',
    'foo.localhost',
    'host.docker.internal',
    'x.internal',
    'printer.local',
    'kubernetes.default',
    'kubernetes',
    'router.lan',
    'nas.home.arpa',
    'wpad',
    'db.corp',
  ])('A26 local name %j is refused unless the owner declared it', (name) => {
    refusedEntry(name);
    refusedEntry(`*.${name}`);
    const localNames = new Set([canonicalHost(name)]);
    expect(parseHostRule(`${name}:8123`, { localNames }).port).toBe(8123);
    expect(() => parseHostRule(`x.${name.replace(/\.$/, '')}`, { localNames })).toThrow(HostSyntaxError);
  });

  it('A27 a name that carries an address matches its wildcard here; the address is judged after resolving', () => {
    expect(matchesHostRule(parseHostRule('*.nip.io'), canonicalHost('a.nip.io'), 443)).toBe(true);
    expect(matchesHostRule(parseHostRule('*.nip.io'), canonicalHost('169.254.169.254.nip.io'), 443)).toBe(false);
  });

  it('M219 a list sorts by registrable domain with wildcards first, so that an odd one stands out', () => {
    const entries = ['z.good.com', 'a.good.com', 'evil.net', 'good.com:8443', 'good.com', '*.good.com', 'b.good.co.uk'];
    const sorted = entries.map((entry) => parseHostRule(entry)).sort(compareHostRules);
    expect(sorted.map(formatHostRule)).toEqual([
      '*.good.com',
      'evil.net',
      'b.good.co.uk',
      'a.good.com',
      'good.com',
      'good.com:8443',
      'z.good.com',
    ]);
  });

  it('E102 known echo and relay hosts are recognised at and below their domain, and only there', () => {
    for (const host of ['httpbin.org', 'eu.httpbin.org', '*.webhook.site', 'x.y.ngrok.io']) {
      expect(isEchoHost(host), host).toBe(true);
    }
    for (const host of ['api.openai.com', 'nothttpbin.org', 'httpbin.org.example.com']) {
      expect(isEchoHost(host), host).toBe(false);
    }
  });
});

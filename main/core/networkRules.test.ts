import { describe, expect, it } from 'vitest';
import { formatHostRule, parseHostRule, parseNetworkEntry } from './host.ts';
import { bindableRules, namesHost, narrowRules, readStoredRules, sortRules } from './networkRules.ts';

const rules = (...texts: string[]) => texts.map((text) => parseHostRule(text));
const narrowed = (left: string[], right: string[]) => narrowRules(rules(...left), rules(...right)).map(formatHostRule);

describe('what two lists both allow', () => {
  it.each([
    [['a.example.org'], ['a.example.org'], ['a.example.org']],
    [['a.example.org'], ['b.example.org'], []],
    [['a.example.org:8443'], ['a.example.org'], []],
    [['a.example.org'], ['*.example.org'], ['a.example.org']],
    [['*.example.org'], ['a.example.org', 'b.example.org'], ['a.example.org', 'b.example.org']],
    [['*.example.org'], ['*.example.org'], ['*.example.org']],
    [['*.example.org'], ['a.b.example.org'], []],
    [['*.example.org'], ['example.org'], []],
    [['*.b.example.org'], ['*.example.org'], []],
    [['evilexample.org'], ['*.example.org'], []],
    [[], ['a.example.org'], []],
  ])('%j and %j allow %j, whichever comes first', (left, right, both) => {
    expect(narrowed(left, right)).toEqual(both);
    expect(narrowed(right, left)).toEqual(both);
  });
});

describe('lists', () => {
  it('are sorted by host and port, each rule once', () => {
    const sorted = sortRules(rules('b.example.org', 'a.example.org:8443', 'a.example.org', 'b.example.org'));
    expect(sorted.map(formatHostRule)).toEqual(['a.example.org', 'a.example.org:8443', 'b.example.org']);
  });

  it('that were stored allow nothing where they cannot be read any more', () => {
    const network = [{ host: 'nas', port: 443 }];
    expect(readStoredRules(['nas', 'printer', 'a.example.org'], network).map(formatHostRule)).toEqual([
      'nas',
      'a.example.org',
    ]);
  });
});

describe('entries of a network list that ask for a WebSocket', () => {
  const network = (...texts: string[]) => sortRules(texts.map((text) => parseNetworkEntry(text)));

  it('are written wss://host[:port], name one host, and are shown as they were written', () => {
    expect(parseNetworkEntry('wss://API.example.org')).toEqual({ host: 'api.example.org', port: 443, ws: true });
    expect(formatHostRule(parseNetworkEntry('wss://api.example.org:8443'))).toBe('wss://api.example.org:8443');
    expect(parseNetworkEntry('api.example.org')).toEqual({ host: 'api.example.org', port: 443 });
    const local = { localNames: new Set(['nas']) };
    expect(parseNetworkEntry('wss://nas:8123', local)).toEqual({ host: 'nas', port: 8123, ws: true });
  });

  it.each([
    'wss://*.example.org',
    'wss://api.example.org/',
    'wss://a@example.org',
    'wss://example.org:0',
    'wss://10.0.0.1',
    'wss://nas',
    'wss://',
    'wss:api.example.org',
    'WSS://api.example.org',
    'ws://api.example.org',
    'https://api.example.org',
    'wss://wss://api.example.org',
    ' wss://api.example.org',
  ])('are refused when they are written like %s', (text) => {
    expect(() => parseNetworkEntry(text)).toThrow('Invalid host');
  });

  it('cover the plain entry for the same host, whichever comes first', () => {
    const both = ['wss://a.example.org', 'a.example.org'];
    for (const list of [both, both.toReversed()]) {
      expect(network(...list)).toEqual([{ host: 'a.example.org', port: 443, ws: true }]);
    }
  });

  it('are no place that a secret may be bound to, and give a binding nothing but requests', () => {
    const rules = network('wss://a.example.org', 'b.example.org', 'httpbin.org');
    expect(bindableRules(rules).map(formatHostRule)).toEqual(['b.example.org']);
    expect(narrowRules([{ host: 'a.example.org', port: 443 }], rules)).toEqual([{ host: 'a.example.org', port: 443 }]);
    expect(narrowRules(rules, [{ host: '*.example.org', port: 443 }])[0]).not.toHaveProperty('ws');
    expect(() => parseHostRule('wss://a.example.org')).toThrow();
  });

  it('meet a binding of the same host on any port, and under a wildcard', () => {
    expect(namesHost(rules('a.example.org:8443'), 'a.example.org')).toBe(true);
    expect(namesHost(rules('*.example.org'), 'a.example.org')).toBe(true);
    expect(namesHost(rules('example.org', 'b.example.org'), 'a.example.org')).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { formatHostRule, parseHostRule } from './host.ts';
import { narrowRules, readStoredRules, sortRules } from './networkRules.ts';

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

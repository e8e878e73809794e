import { describe, expect, it } from 'vitest';
import type { CardFact } from '../../contract/card.ts';
import { factGroups, heaviestFirst } from './factGroups.ts';

const fact = (key: string): CardFact => ({ key, label: key, tone: 'plain', value: [] });
const keys = (facts: readonly CardFact[]): readonly string[] => facts.map(({ key }) => key);

describe('the facts of a card', () => {
  it('stand where they belong, in their order, and those that nobody knows as well', () => {
    const groups = factGroups(
      ['agent', 'changed', 'secret:B', 'secret:A', 'network', 'network_echo', 'limits', 'unheard_of'].map(fact),
    );
    expect(keys(groups.news)).toEqual(['changed']);
    expect(keys(groups.reach)).toEqual(['secret:B', 'secret:A', 'network', 'network_echo']);
    expect(keys(groups.rest)).toEqual(['agent', 'limits', 'unheard_of']);
  });

  it('tell what weighs most first', () => {
    const items = [
      { severity: 'info', name: 1 },
      { severity: 'warn', name: 2 },
      { severity: 'danger', name: 3 },
      { severity: 'warn', name: 4 },
    ] as const;
    expect(heaviestFirst(items).map(({ name }) => name)).toEqual([3, 2, 4, 1]);
  });
});

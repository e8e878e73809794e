import type { Card, CardChange, CardFact } from '../../contract/card.ts';

export type FactGroups = Readonly<{
  /** What the last approved version tells, in a sentence. */
  news: readonly CardFact[];
  /** Secrets, hosts and places. */
  reach: readonly CardFact[];
  /** Limits, isolation and what else is so. */
  rest: readonly CardFact[];
}>;

const reachKeys = /^(?:secrets$|secret:|network)/;

/** Facts by where they stand on the card, each in the order that main gave; none is left out. */
export function factGroups(facts: Card['facts']): FactGroups {
  const of = (holds: (fact: CardFact) => boolean): readonly CardFact[] => facts.filter(holds);
  const isNews = ({ key }: CardFact): boolean => key === 'changed';
  const isReach = ({ key }: CardFact): boolean => reachKeys.test(key);
  return { news: of(isNews), reach: of(isReach), rest: of((fact) => !isNews(fact) && !isReach(fact)) };
}

const weights = { danger: 2, warn: 1, info: 0 } as const;

/** Warnings first; those of one weight as main ordered them. */
export function heaviestFirst<Item extends Pick<CardChange, 'severity'>>(items: readonly Item[]): readonly Item[] {
  return items.toSorted((left, right) => weights[right.severity] - weights[left.severity]);
}

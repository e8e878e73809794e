import { catalogue, numbersIn } from './catalogue.ts';

const LIST = String.raw`[A-Q]\d{1,3}(?:-\d{1,3})?(?:(?:,| and| to)? [A-Q]\d{1,3}(?:-\d{1,3})?)*(?!\w)`;
const LEADING = new RegExp(`^${LIST}`);
const NAMED = new RegExp(String.raw`\bATTACKS (${LIST})`);

const numbersOf = (list: string): readonly number[] => {
  const parts = list.matchAll(/(?<range> to )?(?<letter>[A-Q])(?<first>\d{1,3})(?:-(?<last>\d{1,3}))?/g);
  const found: number[] = [];
  for (const { groups = {} } of parts) {
    const { range, letter, first, last } = groups;
    const from = range ? (found.at(-1) ?? Number(first)) : Number(first);
    const numbers = numbersIn(from, Number(last ?? first));
    found.push(...numbers.filter((number) => catalogue.get(number) === letter));
  }
  return found;
};

/** The cases that a test plays, by the titles around it and its own: `['C59 refused', 'D79 …']` -> 59, 79. */
export const casesOf = (titles: readonly string[]): ReadonlySet<number> =>
  new Set(
    titles.flatMap((title) => [
      ...numbersOf(LEADING.exec(title)?.[0] ?? ''),
      ...numbersOf(NAMED.exec(title)?.[1] ?? ''),
    ]),
  );

/** What a test says when its numbers are left out. */
export const proseOf = (titles: readonly string[]): string =>
  titles
    .map((title) => title.replace(LEADING, '').replace(/\s*\(ATTACKS [^)]*\)/, ''))
    .map((title) => title.replace(/^:/, '').trim())
    .filter((title) => title !== '')
    .join(': ');

/**
 * The numbers of the attack catalogue that this product is tested against, by surface. A test names the cases it plays
 * (`B29 B30 …`) at the beginning of its title or of a `describe` around it, or as `(ATTACKS O240-242)` at its end.
 */
const surfaces: Readonly<Record<string, string>> = {
  A: '1-11 13 15 17-19 21-27',
  B: '28-32 34-38 40-51 53 54',
  C: '55 56 58-65',
  D: '66-76 78 79',
  E: '80 81 83-86 88-94 96 98-108',
  F: '109 111-113 115-119',
  G: '120 122-130',
  H: '131-150',
  I: '151-165',
  J: '166-177',
  K: '178-184',
  L: '185 187-197 199-208',
  M: '209-215 217-222',
  N: '223-227 229-234 236-238',
  O: '239-250 252',
  P: '253-264',
  Q: '265-274',
};

/** Case numbers are unique over all surfaces; the letter is for the reader. */
export const numbersIn = (first: number, last: number): readonly number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** Surface by number: 29 -> `B`. */
export const catalogue: ReadonlyMap<number, string> = new Map(
  Object.entries(surfaces).flatMap(([letter, list]) =>
    list.split(' ').flatMap((part) => {
      const [first = 0, last = first] = part.split('-').map(Number);
      return numbersIn(first, last).map((number) => [number, letter] as const);
    }),
  ),
);

import { describe, expect, it } from 'vitest';
import { casesOf, proseOf } from './titles.ts';

const cases = (...titles: readonly string[]): readonly number[] => [...casesOf(titles)].sort((a, b) => a - b);

describe('the cases that a test names', () => {
  it.each([
    ['B44 a 301 is handed back and not followed', [44]],
    ['B29 B30 B32 "a@b" that is not the URL is refused', [29, 30, 32]],
    ['K181 P258 a broker that is killed', [181, 258]],
    ['E89 and F111: values that could not be swapped', [89, 111]],
    ['L193-195 what the agent says', [193, 194, 195]],
    ['L185 to L188 one decision, one run', [185, 187, 188]],
    ['the page of the main window (ATTACKS O240-242, L207)', [207, 240, 241, 242]],
    ['names wildcards first (ATTACKS M219)', [219]],
  ])('stand at the beginning of a title or after ATTACKS: %s', (title, numbers) => {
    expect(cases(title)).toEqual(numbers);
  });

  it('stand in the titles around it as well, each counted once', () => {
    expect(cases('C60 the environment of the app has no say', 'C60 D79 HTTPS_PROXY is not used')).toEqual([60, 79]);
  });

  it.each([
    'a key of P256 is refused',
    'B44x is no case',
    'A999 is not in the catalogue',
    'E45 has the letter of another surface',
    'F: output scrubbing',
    'sends A4 paper',
  ])('are none in: %s', (title) => expect(cases(title)).toEqual([]));

  it('are left out where the reader sees what was shown', () => {
    expect(proseOf(['B29 B30 two of them', 'C59 refused', 'a view (ATTACKS O240, O243)', 'F111: short'])).toBe(
      'two of them: refused: a view: short',
    );
  });
});

import { describe, expect, it } from 'vitest';
import { foundAt, hitsOf, MAX_HITS } from './search.ts';

describe('a search in code', () => {
  it('finds every place, whatever the case', () => {
    expect(hitsOf(['Eval(eval)', '', 'x'], 'eval')).toEqual([
      { line: 0, from: 0, to: 4 },
      { line: 0, from: 5, to: 9 },
    ]);
    expect(hitsOf(['a'], '')).toEqual([]);
  });

  it('takes what is typed as it is, also what means something in a pattern', () => {
    for (const wanted of ['a.b', '(', '[x]', '\\d+', '^', '$', '{1}', '|', 'a-b', '/*', '🙂']) {
      expect(hitsOf(['nothing', `say ${wanted} here`], wanted), wanted).toEqual([
        { line: 1, from: 4, to: 4 + wanted.length },
      ]);
    }
  });

  it('stops after a number of hits that nobody looks through', () => {
    expect(hitsOf(['a'.repeat(100_000)], 'a')).toHaveLength(MAX_HITS);
  });

  it('shows the current hit apart', () => {
    const found = foundAt(hitsOf(['aa'], 'a'), 1);
    expect(found.spansOf(0).map(({ look }) => look)).toEqual(['found', 'foundNow']);
    expect(found.spansOf(7)).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { atOnce, inTurns, Pace, type Slices } from './slices.ts';

function* threeSlices(): Slices<string> {
  yield;
  yield;
  return 'done';
}

describe('work in slices', () => {
  it('comes to the same end at once and with pauses', async () => {
    let turns = 0;
    const turn = async (): Promise<void> => {
      turns += 1;
    };
    expect(atOnce(threeSlices())).toBe('done');
    expect(await inTurns(threeSlices(), turn)).toBe('done');
    expect(turns).toBe(2);
  });

  it('pauses again after as much work as before', () => {
    const pace = new Pace();
    const due = Array.from({ length: 8 }, () => pace.isDue(4096));
    expect(due).toEqual([false, true, false, true, false, true, false, true]);
  });
});

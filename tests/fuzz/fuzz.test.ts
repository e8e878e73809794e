import { describe, expect, it } from 'vitest';
import { runCampaign } from './campaign.ts';
import { minimised } from './minimise.ts';
import { must, target } from './target.ts';
import { targets } from './targets.ts';

describe('what is fed with inputs of a fixed seed', () => {
  it.each(targets.map((one) => [one.name, one] as const))('keeps what it promises: %s', async (_name, one) => {
    const { inputs, failure } = await runCampaign(one, { seed: 1, inputs: one.testInputs });
    expect(failure).toBeNull();
    expect(inputs).toBe(one.testInputs);
  });
});

describe('a campaign', () => {
  const below = (limit: number) =>
    target({ name: 'list', inputs: 1, testInputs: 1 }, () => ({
      make: (choices) => choices.list(0, 20, () => choices.below(100)),
      check: (list: readonly number[]) => must(!list.some((item) => item >= limit), 'too large'),
    }));

  it('stops at the first failure and shows the smallest input that it finds', async () => {
    const { failure, inputs } = await runCampaign(below(90), { seed: 7, inputs: 1_000 });
    expect(inputs).toBeLessThan(1_000);
    expect(failure).toMatch(/^input \d+ of seed 7: too large\nsmallest input found: \[[ 0,]* 90[ 0,]*\]/);
  });

  it('makes the same inputs of the same seed', async () => {
    const runs = await Promise.all([3, 3].map((seed) => runCampaign(below(99), { seed, inputs: 1_000 })));
    expect(runs[0]?.failure).toBe(runs[1]?.failure);
    expect(runs[0]?.failure).not.toBeNull();
  });

  it('hears of what nobody caught', async () => {
    const throwing = target({ name: 'late', inputs: 1, testInputs: 1 }, () => ({
      make: (choices) => choices.below(2),
      check: async (input: number) => void (input === 1 && Promise.reject(new Error('late'))),
    }));
    expect((await runCampaign(throwing, { seed: 1, inputs: 100 })).failure).toContain('nobody caught Error: late');
  });

  it('keeps of a failing list only what it fails on', async () => {
    const fails = async (list: readonly number[]) => (list.filter((item) => item > 4).length >= 2 ? list : null);
    expect(await minimised([1, 9, 0, 3, 7, 8], fails, 1_000)).toEqual([5, 5]);
  });
});

import { describe, expect, it } from 'vitest';
import { StartGate } from './startGate.ts';

/** Work that ends when the test says so. */
function work(name: string, log: string[]) {
  let end = () => {};
  const done = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    end: () => end(),
    run: async () => {
      log.push(name);
      await done;
      return name;
    },
  };
}

describe('the gate before starting containers', () => {
  it('lets so many in at once, runs first, the others in their order', async () => {
    const gate = new StartGate(2);
    const log: string[] = [];
    const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((name) => work(name, log));
    if (!a || !b || !c || !d || !e) throw new Error('five');
    const all = [gate.through(false, a.run), gate.through(false, b.run), gate.through(false, c.run)];
    all.push(gate.through(false, d.run), gate.through(true, e.run));
    await Promise.resolve();
    expect(log).toEqual(['a', 'b']);
    a.end();
    await all[0];
    await new Promise(setImmediate);
    expect(log).toEqual(['a', 'b', 'e']);
    for (const each of [b, c, d, e]) each.end();
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(log).toEqual(['a', 'b', 'e', 'c', 'd']);
  });

  it('is free again after work that failed', async () => {
    const gate = new StartGate(1);
    await expect(gate.through(false, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await gate.through(false, async () => 'yes')).toBe('yes');
  });
});

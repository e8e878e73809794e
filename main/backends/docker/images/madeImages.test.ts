import { describe, expect, it } from 'vitest';
import { StoredMadeImages } from './madeImages.ts';

function recordsWith(text: string | null) {
  let stored = text;
  let writes = 0;
  return {
    state: () => stored,
    setState: (_key: string, value: string) => {
      stored = value;
      writes += 1;
    },
    writes: () => writes,
  };
}

describe('the images that were made here', () => {
  it('are remembered by their recipe, also by the next start', () => {
    const records = recordsWith(null);
    const made = new StoredMadeImages(records);
    expect(made.id('a')).toBeNull();
    made.remember('a', 'sha256:1');
    made.remember('b', 'sha256:2');
    made.remember('a', 'sha256:3');
    const later = new StoredMadeImages(records);
    expect([later.id('a'), later.id('b'), later.id('c')]).toEqual(['sha256:3', 'sha256:2', null]);
  });

  it('are not written again when nothing is new', () => {
    const records = recordsWith(null);
    const made = new StoredMadeImages(records);
    made.remember('a', 'sha256:1');
    made.remember('a', 'sha256:1');
    expect(records.writes()).toBe(1);
  });

  it('are at most a hundred, the newest', () => {
    const made = new StoredMadeImages(recordsWith(null));
    for (let recipe = 0; recipe < 101; recipe += 1) made.remember(`${recipe}`, `sha256:${recipe}`);
    expect([made.id('0'), made.id('1'), made.id('100')]).toEqual([null, 'sha256:1', 'sha256:100']);
  });

  it.each(['', '{', '{"a":"sha256:1"}', '[["a"]]', 'null'])('are none where the store has %j', (text) => {
    expect(new StoredMadeImages(recordsWith(text)).id('a')).toBeNull();
  });
});

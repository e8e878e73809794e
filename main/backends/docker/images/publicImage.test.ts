import { describe, expect, it } from 'vitest';
import { runtimeTable } from '../runtimeTable.ts';
import { isAmong, publicImage } from './publicImage.ts';

const digest = `sha256:${'ab'.repeat(32)}`;

describe('The name of a public image', () => {
  it('is read with its tag for people and without it for the engine', () => {
    expect(publicImage(`docker.io/library/node:24-slim@${digest}`)).toEqual({
      name: 'docker.io/library/node',
      digest,
      reference: `docker.io/library/node@${digest}`,
      label: 'node:24-slim',
    });
    expect(publicImage(`127.0.0.1:5000/a/b@${digest}`)).toMatchObject({ name: '127.0.0.1:5000/a/b', label: 'b' });
  });

  it.each([
    'docker.io/library/node:24-slim',
    `node@${digest}`,
    `docker.io/library/node@sha256:abcd`,
    `docker.io/library/node@md5:${'ab'.repeat(16)}`,
    `docker.io/library/node@${digest}/../..`,
    `docker.io/../etc@${digest}`,
    '',
  ])('is refused without a registry or a whole digest: %s', (text) => {
    expect(() => publicImage(text)).toThrow('by digest');
  });

  it('is found among what an engine calls its images', () => {
    const node = publicImage(`docker.io/library/node:24-slim@${digest}`);
    expect(isAmong(node, [`node@${digest}`])).toBe(true);
    expect(isAmong(node, [`docker.io/library/node@${digest}`])).toBe(true);
    expect(isAmong(node, [`evil/node@${digest}`, `node@sha256:${'cd'.repeat(32)}`])).toBe(false);
    expect(isAmong(node, [])).toBe(false);
  });

  it('stands in every row of the runtime table', () => {
    for (const { runtime, image } of runtimeTable) {
      const names = Object.values(image.publicImages).map((text) => publicImage(text).name);
      expect(names.length, runtime).toBeGreaterThan(0);
    }
  });
});

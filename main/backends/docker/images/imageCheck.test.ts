import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../core/digest.ts';
import { runtimeTable } from '../runtimeTable.ts';
import { type ImageFacts, imageFault } from './imageCheck.ts';
import { imageLabels } from './imageLabels.ts';
import { imageWish } from './recipe.ts';

const [row] = runtimeTable;
if (row === undefined) throw new Error('no rows');
const wish = imageWish(row, 'sealed', { runner: { bytes: new Uint8Array(1), sha256: sha256Hex('r') }, own: {} });
const Labels = imageLabels(wish);
const facts = (config: Partial<ImageFacts['Config']> = {}, rest: Partial<ImageFacts> = {}): ImageFacts => ({
  Id: `sha256:${sha256Hex('image')}`,
  Architecture: 'amd64',
  Os: 'linux',
  Config: { Labels, ...config },
  ...rest,
});
const faultOf = (image: ImageFacts) => imageFault(image, wish, 'amd64');

describe('an image on the engine', () => {
  it('may carry runs when it is what was wished for', () => {
    expect(faultOf(facts())).toBeNull();
    const base = { Env: ['PATH=/usr/bin', 'NODE_VERSION=24.21.0'], OnBuild: [], Volumes: {}, Healthcheck: null };
    expect(faultOf(facts(base))).toBeNull();
    expect(faultOf(facts({ Healthcheck: { Test: ['NONE'] } }))).toBeNull();
  });

  it('may not when it is for another wish or another machine', () => {
    expect(faultOf(facts({ Labels: { ...Labels, 'oauth3.variant': 'readable' } }))).toContain('labels');
    expect(faultOf(facts({ Labels: null }))).toContain('labels');
    expect(faultOf(facts({}, { Architecture: 'arm64' }))).toBe('it is for linux/arm64, the engine is linux/amd64');
    expect(faultOf(facts({}, { Os: 'windows' }))).toContain('windows');
  });

  it('H146 may not when it brings along what acts on every container made from it', () => {
    expect(faultOf(facts({ OnBuild: ['RUN true'] }))).toBe('it has ONBUILD steps');
    expect(faultOf(facts({ Volumes: { '/data': {} } }))).toBe('it brings a VOLUME');
    expect(faultOf(facts({ Healthcheck: { Test: ['CMD', '/bin/true'] } }))).toBe('it brings a HEALTHCHECK');
    expect(faultOf(facts({ Env: ['PATH=/usr/bin', 'LD_PRELOAD=/tmp/x.so'] }))).toBe('it sets LD_PRELOAD');
    expect(faultOf(facts({ Env: ['NODE_OPTIONS=--require /x'] }))).toBe('it sets NODE_OPTIONS');
  });
});

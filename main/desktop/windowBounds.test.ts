import { describe, expect, it } from 'vitest';
import { reachable } from './windowBounds.ts';

const screen = { x: 0, y: 0, width: 1920, height: 1080 };
const size = { width: 1080, height: 760 };

describe('a window is put where it was', () => {
  it('when its upper edge can be reached there', () => {
    for (const place of [
      { x: 0, y: 0 },
      { x: 1800, y: 900 },
      { x: -900, y: 10 },
    ]) {
      expect(reachable({ ...size, ...place }, [screen])).toEqual({ ...size, ...place });
    }
  });

  it('not when that screen is gone, or the edge is out of reach', () => {
    for (const place of [
      { x: 2500, y: 100 },
      { x: 1900, y: 100 },
      { x: -1060, y: 100 },
      { x: 100, y: -50 },
      { x: 100, y: 1070 },
    ]) {
      expect(reachable({ ...size, ...place }, [screen])).toEqual(size);
    }
  });

  it('on any of several screens', () => {
    const right = { x: 1920, y: 0, width: 1280, height: 800 };
    expect(reachable({ ...size, x: 2500, y: 100 }, [screen, right])).toEqual({ ...size, x: 2500, y: 100 });
  });

  it('wherever the system likes when no place is known', () => {
    expect(reachable(size, [screen])).toEqual(size);
  });
});

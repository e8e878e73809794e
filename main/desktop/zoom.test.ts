import { describe, expect, it } from 'vitest';
import { zoomFor } from './zoom.ts';

const press = (key: string, change: object = {}) => ({
  type: 'keyDown',
  key,
  control: true,
  meta: false,
  alt: false,
  ...change,
});

describe('the size of the views', () => {
  it.each([
    ['+', 1, 1.1],
    ['=', 1, 1.1],
    ['-', 1, 0.9],
    ['0', 1.5, 1],
    ['+', 2, 2],
    ['-', 0.8, 0.8],
  ])('goes by Ctrl %s from %d to %d', (key, from, to) => {
    expect(zoomFor(press(key), from)).toBe(to);
  });

  it('goes by ⌘ on a Mac', () => expect(zoomFor(press('+', { control: false, meta: true }), 1)).toBe(1.1));

  it.each([
    ['another key', press('1')],
    ['no Ctrl', press('+', { control: false })],
    ['Alt as well', press('+', { alt: true })],
    ['a key that goes up', press('+', { type: 'keyUp' })],
  ])('stays with %s', (_what, input) => expect(zoomFor(input, 1)).toBeNull());
});

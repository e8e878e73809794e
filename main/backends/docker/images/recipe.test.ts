import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../core/digest.ts';
import { type RuntimeRow, runtimeTable } from '../runtimeTable.ts';
import { type ImageFiles, imageWish } from './recipe.ts';

const [row] = runtimeTable;
if (row === undefined) throw new Error('no rows');
const bytesOf = (text: string) => new TextEncoder().encode(text);
const filesWith = (runner: string, own: Readonly<Record<string, string>> = {}): ImageFiles => ({
  runner: { bytes: bytesOf(runner), sha256: sha256Hex(runner) },
  own: Object.fromEntries(Object.entries(own).map(([name, text]) => [name, bytesOf(text)])),
});
const recipeOf = (wished: RuntimeRow = row, files = filesWith('runner')) => imageWish(wished, 'sealed', files).recipe;

/** Each way to change one leaf of a value: a string gets a letter, a number one more, a list or record one entry. */
function* changes(value: unknown): Generator<unknown> {
  if (typeof value === 'string') yield `${value}x`;
  else if (typeof value === 'number') yield value + 1;
  else if (Array.isArray(value)) {
    yield [...value, 'more'];
    for (const [index, item] of value.entries()) {
      for (const changed of changes(item)) yield value.with(index, changed);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      for (const changed of changes(item)) yield { ...value, [key]: changed };
    }
  }
}

describe('the recipe of an image', () => {
  it('is the same for the same things, in whatever order they are named', () => {
    const reordered = Object.fromEntries(Object.entries(row).reverse()) as RuntimeRow;
    expect(recipeOf(reordered)).toBe(recipeOf());
    expect(recipeOf()).toMatch(/^[0-9a-f]{64}$/);
  });

  it('changes with every field of the row', () => {
    const recipes = [...changes(row)].map((changed) => recipeOf(changed as RuntimeRow));
    expect(recipes.length).toBeGreaterThan(20);
    expect(new Set([recipeOf(), ...recipes]).size).toBe(recipes.length + 1);
  });

  it('changes with the variant and with the runner', () => {
    const others = [
      imageWish(row, 'readable', filesWith('runner')).recipe,
      imageWish(row, 'sealed', filesWith('other')).recipe,
    ];
    expect(new Set([recipeOf(), ...others]).size).toBe(3);
  });

  it('changes with the bytes of a file of our own, and with where it stands', () => {
    const at = (target: string): RuntimeRow => ({ ...row, image: { ...row.image, own: { 'a.mjs': target } } });
    const recipes = [
      recipeOf(at('/app/a.mjs'), filesWith('runner', { 'a.mjs': 'one' })),
      recipeOf(at('/app/a.mjs'), filesWith('runner', { 'a.mjs': 'two' })),
      recipeOf(at('/app/b.mjs'), filesWith('runner', { 'a.mjs': 'one' })),
    ];
    expect(new Set(recipes).size).toBe(3);
  });

  it('cannot be told while a file of our own is missing', () => {
    const lacking: RuntimeRow = { ...row, image: { ...row.image, own: { 'a.mjs': '/app/a.mjs' } } };
    expect(() => recipeOf(lacking)).toThrow('The file a.mjs of the deno image is missing');
  });
});

import { canonicalJson, sha256Hex } from '../../../core/digest.ts';
import { imageBasis } from '../imageBasis.ts';
import type { RuntimeRow } from '../runtimeTable.ts';
import type { ImageVariant, ImageWish } from './ports.ts';

/** Our own files that go into an image, by content. */
export type ImageFiles = Readonly<{
  runner: Readonly<{ bytes: Uint8Array; sha256: string }>;
  /** Path below out/sandbox/ -> bytes, for every path that a row names. */
  own: Readonly<Record<string, Uint8Array>>;
}>;

/** Moves when images are made in another way from the same things. */
const recipeFormat = 3;
const recipeDomain = 'oauth3/image-recipe/1\n';

/**
 * The wish for one image, with its recipe: the digest of everything that the image is made from and of how code is
 * started in it. Pure. Throws when `files` lacks a file that the row names.
 */
export function imageWish(row: RuntimeRow, variant: ImageVariant, files: ImageFiles): ImageWish {
  const own: Record<string, Uint8Array> = {};
  for (const [source, target] of Object.entries(row.image.own)) {
    const bytes = files.own[source];
    if (bytes === undefined) throw new TypeError(`The file ${source} of the ${row.runtime} image is missing`);
    own[target] = bytes;
  }
  const ownDigests = Object.fromEntries(Object.entries(own).map(([target, bytes]) => [target, sha256Hex(bytes)]));
  const { runner } = files;
  const covered = { recipeFormat, basis: imageBasis, row, variant, runner: runner.sha256, own: ownDigests };
  return { row, variant, runner, own, recipe: sha256Hex(recipeDomain + canonicalJson(covered)) };
}

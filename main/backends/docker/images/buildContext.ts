import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { packTar } from 'modern-tar';
import type { ImageWish } from './ports.ts';

/** What the Dockerfile of one image can copy: path in the context -> bytes. */
export type BuildContext = Readonly<Record<string, Uint8Array>>;

/** So that the builder finds again what it has built before. */
const contextTime = new Date(0);

/**
 * The folder of the Dockerfile, what all images share, the runner, and the row's own files below `own`. `folder` is the
 * absolute path of sandbox/images.
 */
export async function buildContext(folder: string, { row, runner, own }: ImageWish): Promise<BuildContext> {
  const place = path.join(folder, path.dirname(row.image.dockerfile));
  const names = await readdir(place);
  const files = await Promise.all(names.map(async (name) => [name, await readFile(path.join(place, name))] as const));
  return {
    ...Object.fromEntries(files),
    'prepare.mjs': await readFile(path.join(folder, 'prepare.mjs')),
    'runner.mjs': runner.bytes,
    ...Object.fromEntries(Object.entries(own).map(([target, bytes]) => [`own${target}`, bytes])),
  };
}

/** As a tar archive that depends on nothing but names and bytes. Everybody may read what is in it, nobody write. */
export async function contextArchive(context: BuildContext): Promise<Readable> {
  const owned = { uid: 0, gid: 0, mtime: contextTime };
  const names = Object.keys(context).sort();
  const folders = new Set(names.flatMap(foldersAbove));
  const archive = await packTar([
    ...[...folders]
      .sort()
      .map((name) => ({ header: { name: `${name}/`, type: 'directory' as const, size: 0, mode: 0o755, ...owned } })),
    ...names.map((name) => {
      const bytes = context[name] ?? new Uint8Array(0);
      return { header: { name, size: bytes.byteLength, mode: 0o644, ...owned }, body: bytes };
    }),
  ]);
  return Readable.from([archive]);
}

function foldersAbove(name: string): readonly string[] {
  const parts = name.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

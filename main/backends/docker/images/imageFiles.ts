import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256Hex } from '../../../core/digest.ts';
import type { RuntimeRow } from '../runtimeTable.ts';
import type { ImageFiles } from './recipe.ts';

/** Reads what the rows' images need of our own; all of it stands beside the built runner. Rejects when one is missing. */
export async function readImageFiles(runnerFile: string, rows: readonly RuntimeRow[]): Promise<ImageFiles> {
  const folder = path.dirname(runnerFile);
  const bytes = await readFile(runnerFile);
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.image.own)))];
  const own = await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name))] as const));
  return { runner: { bytes, sha256: sha256Hex(bytes) }, own: Object.fromEntries(own) };
}

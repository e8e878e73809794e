import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { packTar, type TarSource } from 'modern-tar/fs';

/** All times in an image: 2025-01-01, so that the same files are the same bytes. */
export const imageTime = new Date(1_735_689_600_000);

/** One path of a layer, relative, without a slash at the end. */
export type LayerEntry = Readonly<{ path: string; kind: 'file' | 'folder' | 'link'; program: boolean; isElf: boolean }>;

const elf = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);

/** What stands below `root`, sorted. Files of other kinds (devices, sockets) are left out. `programs`: relative paths. */
export async function layerEntries(root: string, programs: ReadonlySet<string>): Promise<readonly LayerEntry[]> {
  const found = await readdir(root, { recursive: true, withFileTypes: true });
  const entries: LayerEntry[] = [];
  for (const entry of found) {
    const relative = path.relative(root, path.join(entry.parentPath, entry.name));
    const base = { path: relative, program: programs.has(relative), isElf: false };
    if (entry.isDirectory()) entries.push({ ...base, kind: 'folder' });
    else if (entry.isSymbolicLink()) entries.push({ ...base, kind: 'link' });
    else if (entry.isFile())
      entries.push({ ...base, kind: 'file', isElf: await beginsWith(path.join(root, relative), elf) });
  }
  return entries.sort((left, right) => (left.path < right.path ? -1 : 1));
}

/**
 * Writes the entries as a tar archive that depends on nothing but their bytes: owner 0, one time, and modes by kind, so
 * that only programs can be executed and nothing is setuid. Returns its digest, which is the layer's `diff_id`.
 */
export async function writeLayer(
  root: string,
  entries: readonly LayerEntry[],
  programMode: number,
  file: string,
  signal: AbortSignal,
): Promise<Readonly<{ diffId: string; size: number }>> {
  const sources = entries.map((entry) => tarSource(root, entry, programMode));
  const hash = createHash('sha256');
  let size = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(packTar(sources), measure, createWriteStream(file), { signal });
  return { diffId: `sha256:${hash.digest('hex')}`, size };
}

function tarSource(root: string, entry: LayerEntry, programMode: number): TarSource {
  const owned = { mtime: imageTime, uid: 0, gid: 0 };
  switch (entry.kind) {
    case 'folder':
      // Everybody may write to /tmp; containers mount a file system of their own there.
      return {
        type: 'content',
        content: null,
        target: `${entry.path}/`,
        mode: entry.path === 'tmp' ? 0o1777 : 0o755,
        ...owned,
      };
    case 'link':
      return { type: 'file', source: path.join(root, entry.path), target: entry.path, mode: 0o777, ...owned };
    case 'file':
      return {
        type: 'file',
        source: path.join(root, entry.path),
        target: entry.path,
        mode: entry.program ? programMode : 0o644,
        ...owned,
      };
  }
}

async function beginsWith(file: string, bytes: Buffer): Promise<boolean> {
  if ((await lstat(file)).size < bytes.length) return false;
  const handle = await open(file, 'r');
  try {
    const head = Buffer.alloc(bytes.length);
    await handle.read(head, 0, bytes.length, 0);
    return head.equals(bytes);
  } finally {
    await handle.close();
  }
}

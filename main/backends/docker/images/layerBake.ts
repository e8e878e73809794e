import { mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { DebianPackages } from './debianPackages.ts';
import type { LayerPlan } from './layerPlan.ts';
import { type LayerEntry, layerEntries, writeLayer } from './layerTar.ts';
import { placeNpmFile } from './npmPackages.ts';
import { ImageError } from './ports.ts';
import { runProgram } from './program.ts';
import { unwantedPrograms } from './unwanted.ts';

// What packages bring for a system that is administered: nothing in a sandbox reads it.
const leftOut = [
  /^(usr\/)?sbin(\/|$)/,
  /^usr\/share\/(doc|man|info|lintian|bug|gdb|gcc|python3|binfmts|locale|pixmaps|applications|ca-certificates)(\/|$)/,
  /^usr\/lib\/[^/]+\/gconv(\/|$)/,
  /^usr\/lib\/(mime|locale|valgrind|binfmt\.d)(\/|$)/,
  /^etc\/(ca-certificates|ld\.so\.conf\.d|default|python3)(\/|$)/,
  /^var(\/|$)/,
];
const programFolder = /^usr\/(local\/)?bin\/|^bin\//;

const compileLimitMs = 5 * 60_000;

/** Makes the layer of a plan as `file`, in `work`, which is the caller's to remove. Throws ImageError. */
export async function bakeLayer(
  plan: LayerPlan,
  debian: DebianPackages,
  work: string,
  file: string,
  signal: AbortSignal,
): Promise<Readonly<{ diffId: string; size: number }>> {
  const root = path.join(work, 'root');
  await mkdir(root);
  if (plan.debian.length > 0) await debian.unpack(plan.debian, root);
  for (const npm of plan.npm) await placeNpmFile(npm, root, work, signal);
  await joinCertificates(root);
  for (const [name, bytes] of Object.entries(plan.files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), bytes);
  }
  await compilePython(root, signal);
  for (const folder of plan.folders) await mkdir(path.join(root, folder), { recursive: true });
  const programs = await programPaths(plan, root);
  const entries = keptEntries(await layerEntries(root, programs), programs, plan.folders);
  const unwanted = unwantedPrograms(entries, programs);
  if (unwanted.length > 0) {
    throw new ImageError(`The packages brought programs that no sandbox may hold: ${unwanted.slice(0, 5).join(', ')}`);
  }
  const made = await writeLayer(root, entries, plan.programMode, file, signal);
  await rm(root, { recursive: true, force: true });
  return made;
}

/** Debian's bundle is made by the package's install script, which does not run here. */
async function joinCertificates(root: string): Promise<void> {
  const folder = path.join(root, 'usr/share/ca-certificates/mozilla');
  const names = await readdir(folder).catch(() => []);
  if (names.length === 0) return;
  const certificates = await Promise.all(names.sort().map((name) => readFile(path.join(folder, name), 'utf8')));
  const bundle = certificates.map((pem) => (pem.endsWith('\n') ? pem : `${pem}\n`)).join('');
  await mkdir(path.join(root, 'etc/ssl/certs'), { recursive: true });
  await writeFile(path.join(root, 'etc/ssl/certs/ca-certificates.crt'), bundle);
}

/**
 * Compiles the library with the layer's own Python: the root of a container is read-only and could not keep it. Marked
 * as unchecked, because times differ; with a fixed hash seed, because the order of constants in a set depends on it.
 */
async function compilePython(root: string, signal: AbortSignal): Promise<void> {
  const libraries = (await readdir(path.join(root, 'usr/lib')).catch(() => [])).sort();
  const version = libraries.find((name) => /^python3\.\d+$/.test(name));
  if (version === undefined) return;
  const folders = ['lib', 'usr/lib'].flatMap((lib) => libraries.map((name) => path.join(root, lib, name)));
  const args = ['-S', '-m', 'compileall', '-q', '--invalidation-mode', 'unchecked-hash', '-s', root];
  await runProgram(path.join(root, 'usr/bin', version), [...args, path.join(root, 'usr/lib')], {
    cwd: root,
    signal,
    timeoutMs: compileLimitMs,
    env: {
      PYTHONHASHSEED: '0',
      PYTHONHOME: path.join(root, 'usr'),
      PYTHONDONTWRITEBYTECODE: '1',
      LD_LIBRARY_PATH: folders.filter((folder) => folder.includes('-linux-gnu')).join(':'),
    },
  });
}

/** The plan's programs as paths of the layer, each link with what it leads to. */
async function programPaths(plan: LayerPlan, root: string): Promise<ReadonlySet<string>> {
  const paths = new Set<string>();
  for (const program of plan.programs) {
    let name: string | null = program;
    while (name !== null && !paths.has(name.slice(1))) {
      paths.add(name.slice(1));
      const link: string | null = await readlink(path.join(root, name)).catch(() => null);
      // As the container reads it: an absolute link begins at the image's root.
      name = link === null ? null : path.posix.resolve(path.posix.dirname(name), link);
    }
  }
  return paths;
}

/** Folders are kept only where something kept is in them, or where the plan wants them. */
function keptEntries(
  entries: readonly LayerEntry[],
  programs: ReadonlySet<string>,
  folders: readonly string[],
): readonly LayerEntry[] {
  const kept = entries.filter(
    ({ path: name, kind }) =>
      kind !== 'folder' &&
      !leftOut.some((pattern) => pattern.test(name)) &&
      (programs.has(name) || !programFolder.test(name)),
  );
  const needed = new Set(folders.map((folder) => folder.slice(1)));
  for (const { path: name } of kept) {
    for (let parent = path.dirname(name); parent !== '.'; parent = path.dirname(parent)) needed.add(parent);
  }
  const wantedFolders = entries.filter(({ path: name, kind }) => kind === 'folder' && needed.has(name));
  return [...kept, ...wantedFolders].sort((left, right) => (left.path < right.path ? -1 : 1));
}

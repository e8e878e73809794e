import type { LayerEntry } from './layerTar.ts';

const shells = new Set([
  'sh',
  'ash',
  'bash',
  'dash',
  'ksh',
  'mksh',
  'zsh',
  'fish',
  'csh',
  'tcsh',
  'rbash',
  'busybox',
  'toybox',
]);
const interpreters = /^(perl|python|ruby|lua|php|tclsh|awk|gawk|mawk|sed|env)[\d.]*$/;
const inProgramFolder = /^(usr\/)?(local\/)?s?bin\//;

/**
 * The guard of what an image may hold: paths that a job could execute besides `wanted`, by name and by content. Empty
 * when all is well.
 */
export function unwantedPrograms(entries: readonly LayerEntry[], wanted: ReadonlySet<string>): readonly string[] {
  return entries
    .filter((entry) => entry.kind !== 'folder' && !wanted.has(entry.path) && isUnwanted(entry))
    .map(({ path }) => path);
}

function isUnwanted(entry: LayerEntry): boolean {
  const name = entry.path.split('/').at(-1) ?? '';
  if (inProgramFolder.test(entry.path) || shells.has(name) || interpreters.test(name)) return true;
  // A program under whatever name; libraries are not started.
  return entry.isElf && !/\.so(\.|$)/.test(name);
}

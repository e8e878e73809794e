import path from 'node:path';
import { importsOf } from './imports.ts';
import { mayImportElectron, roomOf, rooms } from './rooms.ts';

export type SourceFile = Readonly<{ /** From the repository root, with `/`. */ file: string; text: string }>;

const isElectron = (specifier: string): boolean => /^electron(\/|$)/.test(specifier);

const refusal = (file: string, specifier: string): string | undefined => {
  const room = roomOf(file);
  if (!room) return `${file} is in no room of scripts/layers/rooms.ts`;
  if (isElectron(specifier)) return mayImportElectron(file) ? undefined : 'electron is not for this file';
  if (specifier === 'electron-store' && room !== 'main/desktop') return 'electron-store is for main/desktop only';
  if (!specifier.startsWith('.')) return undefined;
  const target = path.posix.join(path.posix.dirname(file), specifier);
  const targetRoom = roomOf(target);
  if (targetRoom === room) return undefined;
  const allowed = (rooms[room] ?? []).some((entry) => entry === targetRoom || entry === target);
  return allowed ? undefined : `${room} may not import ${targetRoom ?? target}`;
};

/** One line `file:line: imports x: why not` for each import that the table of rooms does not allow. */
export const forbiddenImports = (files: readonly SourceFile[]): readonly string[] =>
  files.flatMap(({ file, text }) =>
    importsOf(file, text).flatMap(({ specifier, line }) => {
      const reason = refusal(file, specifier);
      return reason ? [`${file}:${line}: imports ${specifier}: ${reason}`] : [];
    }),
  );

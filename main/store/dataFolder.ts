import { chmodSync, closeSync, constants, lstatSync, mkdirSync, openSync, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DataFolderUnsafeError, DataFolderUnusableError } from './errors.ts';

const folderMode = 0o700;
const fileMode = 0o600;

/**
 * Makes the data folder ours alone: made if it is missing, 0700, not a symlink, owned by this account.
 * DataFolderUnsafeError or DataFolderUnusableError otherwise.
 */
export function prepareFolder(dataDir: string): void {
  try {
    if (statOf(dataDir) === null) {
      // Not in one call: for a folder that cannot be, like one below /proc, Node's recursive mkdir never returns.
      mkdirSync(dirname(resolve(dataDir)), { recursive: true, mode: folderMode });
      mkdirSync(dataDir, { mode: folderMode });
    }
    const found = lstatSync(dataDir);
    if (found.isSymbolicLink() || !found.isDirectory()) {
      throw new DataFolderUnsafeError(
        dataDir,
        `${dataDir} is not a folder of its own (a link or a file). Name the real folder.`,
      );
    }
    refuseForeign(dataDir, found);
    tighten(dataDir, found, folderMode);
  } catch (error) {
    throw error instanceof DataFolderUnsafeError ? error : new DataFolderUnusableError(dataDir, { cause: error });
  }
}

/**
 * Makes a file of the folder ours alone: 0600, a plain file, not a symlink, owned by this account. An existing file is
 * only looked at and never opened here: closing it would drop the locks that SQLite holds on it in this process.
 */
export function prepareFile(dataDir: string, name: string, options: Readonly<{ create: boolean }>): string {
  const path = join(dataDir, name);
  try {
    if (options.create && statOf(path) === null) {
      // O_EXCL does not follow a link that appears meanwhile.
      closeSync(openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, fileMode));
    }
    const found = statOf(path);
    if (found === null) {
      return path;
    }
    if (found.isSymbolicLink() || !found.isFile()) {
      throw new DataFolderUnsafeError(path, `${path} is a link or no plain file. Remove it, or restore the real file.`);
    }
    refuseForeign(path, found);
    tighten(path, found, fileMode);
    return path;
  } catch (error) {
    throw error instanceof DataFolderUnsafeError ? error : new DataFolderUnusableError(dataDir, { cause: error });
  }
}

function statOf(path: string): Stats | null {
  return lstatSync(path, { throwIfNoEntry: false }) ?? null;
}

function refuseForeign(path: string, found: Stats): void {
  const self = process.getuid?.();
  if (self !== undefined && found.uid !== self) {
    throw new DataFolderUnsafeError(
      path,
      `${path} belongs to another account (uid ${found.uid}). Run OAuth3 as that account, or use another folder.`,
    );
  }
}

function tighten(path: string, found: Stats, mode: number): void {
  // Windows has no mode bits; the profile's access list guards the folder there.
  if (process.platform !== 'win32' && (found.mode & 0o777) !== mode) {
    chmodSync(path, mode);
  }
}

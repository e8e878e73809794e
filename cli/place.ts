import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { dataDir, dataFiles } from '../contract/dataDir.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The nearest folder above this file that holds a package.json; `.env` stands beside it. */
function packageFolder(): string | null {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (dirname(folder) === folder) return null;
  }
}

/** The environment with `.env` under it: what is set for the process wins, as in the app. */
export function environment(processEnvironment: Environment): Environment {
  const folder = packageFolder();
  const file = folder === null ? null : join(folder, '.env');
  if (file === null || !existsSync(file)) return processEnvironment;
  return { ...parseEnv(readFileSync(file, 'utf8')), ...processEnvironment };
}

/** Where a running app listens for its owner. */
export function controlAddress(env: Environment): Readonly<{ path: string; token: string | null; dataDir: string }> {
  const folder = resolve(dataDir({ env, platform: process.platform, homeDir: homedir() }));
  const read = (name: string): string | null => {
    const file = join(folder, name);
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
  };
  return {
    path: read(dataFiles.controlPath) ?? join(folder, dataFiles.controlSocket),
    token: process.platform === 'win32' ? read(dataFiles.controlToken) : null,
    dataDir: folder,
  };
}

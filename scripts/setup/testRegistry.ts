import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory, SetupError } from './checkout.ts';
import { run, which } from './command.ts';
import { exclusively } from './exclusive.ts';

const APT_LIMIT_MS = 5 * 60_000;
const name = 'docker-registry';

const fetched = path.join(cacheDirectory, name);
const program = path.join(fetched, 'usr/bin', name);

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

const succeed = async (command: string, args: readonly string[], cwd: string): Promise<void> => {
  const { code, stderr } = await run(command, args, { cwd, timeoutMs: APT_LIMIT_MS });
  if (code !== 0) throw new SetupError(`The tests of public images need ${name}; ${command} says: ${stderr.trim()}`);
};

/**
 * A registry of images for tests: the program of Debian's package. Unpacked instead of installed, because the package
 * starts a registry that is open to the network, and this way takes no root. Throws SetupError.
 */
export const ensureTestRegistry = async (): Promise<string> => {
  const installed = await which(name);
  if (installed) return installed;
  return exclusively(fetched, async () => {
    if (await exists(program)) return program;
    await mkdir(cacheDirectory, { recursive: true });
    const folder = await mkdtemp(`${fetched}.`);
    try {
      await succeed('apt-get', ['download', name], folder);
      const archive = (await readdir(folder)).find((file) => file.endsWith('.deb')) ?? '';
      await succeed('dpkg', ['-x', archive, 'unpacked'], folder);
      await rm(fetched, { recursive: true, force: true });
      await rename(path.join(folder, 'unpacked'), fetched);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return program;
  });
};

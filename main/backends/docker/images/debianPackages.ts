import { mkdir, mkdtemp, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ImageError } from './ports.ts';
import { runProgram } from './program.ts';

const updateLimitMs = 5 * 60_000;
const downloadLimitMs = 15 * 60_000;

/**
 * Debian packages without installing them: apt finds and verifies them against the signed lists of this machine's
 * sources, dpkg takes them apart. Lists stand in `work`, so no other user's or system's state is touched and root is
 * not needed.
 */
export class DebianPackages {
  readonly #work: string;
  readonly #signal: AbortSignal;
  #options: Promise<readonly string[]> | null = null;

  constructor(work: string, signal: AbortSignal) {
    this.#work = work;
    this.#signal = signal;
  }

  /** Unpacks the packages below `root`. Throws ImageError. */
  async unpack(names: readonly string[], root: string): Promise<void> {
    this.#options ??= this.#lists();
    const options = await this.#options;
    const folder = await mkdtemp(path.join(this.#work, 'deb-'));
    await this.#apt([...options, 'download', ...names], folder, downloadLimitMs);
    const archives = (await readdir(folder)).filter((name) => name.endsWith('.deb')).sort();
    const missing = names.filter((name) => !archives.some((archive) => archive.startsWith(`${name}_`)));
    if (missing.length > 0) throw new ImageError(`apt-get fetched no ${missing.join(', ')}`);
    for (const archive of archives) {
      const args = ['-x', path.join(folder, archive), root];
      await runProgram('dpkg', args, { cwd: folder, signal: this.#signal, timeoutMs: updateLimitMs });
    }
  }

  async #lists(): Promise<readonly string[]> {
    const state = path.join(this.#work, 'apt');
    await mkdir(path.join(state, 'lists/partial'), { recursive: true });
    await mkdir(path.join(state, 'cache/archives/partial'), { recursive: true });
    const settings = {
      'Dir::State': state,
      'Dir::State::lists': path.join(state, 'lists'),
      'Dir::State::status': '/var/lib/dpkg/status',
      'Dir::Cache': path.join(state, 'cache'),
      // The user of downloads cannot enter our folder; the bytes are verified in either case.
      'APT::Sandbox::User': 'root',
      'Debug::NoLocking': 'true',
      'Acquire::Languages': 'none',
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    await this.#apt([...options, '-q', 'update'], state, updateLimitMs);
    // It ends well when it fetched nothing, and would then say of each package that there is no such thing.
    const fetched = await readdir(path.join(state, 'lists'));
    if (!fetched.some((name) => name.includes('_Packages'))) {
      throw new ImageError("apt-get could not reach any of this machine's sources of Debian packages");
    }
    return options;
  }

  #apt(args: readonly string[], cwd: string, timeoutMs: number): Promise<string> {
    return runProgram('apt-get', args, { cwd, signal: this.#signal, timeoutMs });
  }
}

/** `bookworm` on Debian 12; null on a system that is no Debian. */
export async function debianRelease(): Promise<string | null> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const value = (name: string): string | undefined => new RegExp(`^${name}="?([^"\\n]+)"?$`, 'm').exec(text)?.[1];
  return value('ID') === 'debian' ? (value('VERSION_CODENAME') ?? null) : null;
}

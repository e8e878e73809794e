import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const oldSpaceMb = 256;

/** What the child imports, by the folder it stands in. */
const packages = ['quickjs-emscripten-core', '@jitl', 'acorn', 'amaro'];

/**
 * Flags for a sandbox process of the Node that runs us: no file but its own program, no process, no addon, no code
 * from strings, a bounded heap. A second wall: the first is that QuickJS runs inside WebAssembly. Flags that this
 * Node does not know are left out.
 */
export function hardeningFlags(
  childPath: string,
  known: ReadonlySet<string> = process.allowedNodeEnvironmentFlags,
): string[] {
  const flags = [`--max-old-space-size=${oldSpaceMb}`];
  for (const flag of ['--disable-sigusr1', '--no-addons', '--disallow-code-generation-from-strings']) {
    if (known.has(flag)) flags.push(flag);
  }
  if (known.has('--permission') && known.has('--allow-worker')) {
    flags.push('--permission', '--allow-worker', ...readable(childPath).map((path) => `--allow-fs-read=${path}`));
  }
  return flags;
}

/** What the child loads: its own folder, the contract beside it in a source tree, and the packages it imports. */
function readable(childPath: string): string[] {
  const folder = dirname(childPath);
  const modules = createRequire(childPath).resolve.paths('acorn') ?? [];
  const installed = modules.flatMap((path) => packages.map((name) => join(path, name)));
  return [folder, join(folder, '../../contract'), ...installed]
    .filter((path) => existsSync(path))
    .map((path) => join(path, '*'));
}

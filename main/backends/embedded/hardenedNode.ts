import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const oldSpaceMb = 256;

/** Packages that the child loads. */
const packages = ['quickjs-emscripten-core', '@jitl/quickjs-wasmfile-release-sync', '@jitl/quickjs-ffi-types', 'acorn', 'amaro'];

/**
 * Flags for a sandbox process of the Node that runs us: no file but its own program, no process, no addon, no code
 * from strings, a bounded heap. A second wall: the first is that QuickJS runs inside WebAssembly. Flags that this
 * Node does not know are left out.
 */
export function hardeningFlags(childPath: string, known: ReadonlySet<string> = process.allowedNodeEnvironmentFlags): string[] {
  const flags = [`--max-old-space-size=${oldSpaceMb}`];
  const add = (flag: string) => {
    if (known.has(flag)) flags.push(flag);
  };
  add('--disable-sigusr1');
  add('--no-addons');
  add('--disallow-code-generation-from-strings');
  if (known.has('--permission') && known.has('--allow-worker')) {
    flags.push('--permission', '--allow-worker', ...readable(childPath).map((path) => `--allow-fs-read=${path}`));
  }
  return flags;
}

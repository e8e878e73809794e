import { createRequire } from 'node:module';
import path from 'node:path';

/**
 * Packages that the bundler leaves as imports: two open files of their own (a native binding, a WebAssembly module), and
 * amaro is loaded late by `require`. Everything else is inside out/.
 */
export const unbundledModules = ['better-sqlite3', '@jitl/quickjs-wasmfile-release-sync', 'amaro'];

/**
 * Names of the packages that must stand in node_modules beside out/, with the packages they require at run time.
 * `node-addon-api` is left out: it holds headers for the compiler.
 */
export const shippedModules = (root: string): readonly string[] => {
  const require = createRequire(path.join(root, 'package.json'));
  const found = new Set<string>();
  const visit = (name: string): void => {
    if (found.has(name) || name === 'node-addon-api') return;
    found.add(name);
    const manifest: { dependencies?: Record<string, string> } = require(
      path.join(root, 'node_modules', name, 'package.json'),
    );
    Object.keys(manifest.dependencies ?? {}).forEach(visit);
  };
  unbundledModules.forEach(visit);
  return [...found].sort();
};

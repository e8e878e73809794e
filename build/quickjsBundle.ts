import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'vite';

/**
 * The program of the runtime `quickjs` in containers, below out/: one file of code with everything that it imports, and
 * the engine beside it. Same sources, same bytes. It runs on the image's Node 24.
 */
export const bundleQuickjs = async (root: string): Promise<Readonly<Record<string, Uint8Array>>> => {
  const built = await build({
    configFile: false,
    envDir: false,
    root,
    logLevel: 'warn',
    ssr: { noExternal: true },
    build: {
      ssr: true,
      target: 'node24',
      write: false,
      minify: false,
      rolldownOptions: {
        input: path.join(root, 'sandbox/quickjs/container.ts'),
        output: { format: 'es', entryFileNames: 'quickjs.mjs', codeSplitting: false },
      },
    },
  });
  const outputs = [built].flat().flatMap((result) => ('output' in result ? result.output : []));
  const [file, ...more] = outputs;
  if (file?.type !== 'chunk' || more.length > 0) throw new Error('The QuickJS program must be one file.');
  const foreign = [...file.imports, ...file.dynamicImports].filter(
    (name) => name !== file.fileName && !name.startsWith('node:'),
  );
  if (foreign.length > 0) throw new Error(`The QuickJS program must not import ${foreign.join(', ')}.`);
  const require = createRequire(path.join(root, 'package.json'));
  const wasm = await readFile(require.resolve('@jitl/quickjs-wasmfile-release-sync/wasm'));
  return { 'sandbox/quickjs.mjs': new TextEncoder().encode(file.code), 'sandbox/quickjs.wasm': wasm };
};

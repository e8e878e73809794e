import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type Plugin } from 'vite';
import { bundleQuickjs } from './quickjsBundle.ts';

/** Below out/. */
export const runnerOutput = 'sandbox/runner.mjs';

/**
 * Bundles the runner of the containers into one file. Same sources, same bytes, wherever and by whomever it is built:
 * its hash stands in the recipes of images and in manifests. It runs on the image's Node 24.
 */
export const bundleRunner = async (root: string): Promise<string> => {
  const built = await build({
    configFile: false,
    envDir: false,
    root,
    logLevel: 'warn',
    build: {
      ssr: true,
      target: 'node24',
      write: false,
      minify: false,
      rolldownOptions: {
        input: path.join(root, 'sandbox/runner/main.ts'),
        // Comments with paths: they would depend on where the build was started.
        experimental: { attachDebugInfo: 'none' },
        output: { format: 'es', entryFileNames: path.basename(runnerOutput) },
      },
    },
  });
  const outputs = [built].flat().flatMap((result) => ('output' in result ? result.output : []));
  const [file, ...more] = outputs;
  if (file?.type !== 'chunk' || more.length > 0) throw new Error('The runner must be one file.');
  const foreign = file.imports.filter((name) => !name.startsWith('node:'));
  if (foreign.length > 0) throw new Error(`The runner must not import ${foreign.join(', ')}.`);
  return file.code;
};

/** All that images hold of our own, below out/: the runner and the programs of runtimes. */
export const sandboxFiles = async (root: string): Promise<Readonly<Record<string, Uint8Array>>> => {
  const [runner, quickjs, nodeProxy] = await Promise.all([
    bundleRunner(root),
    bundleQuickjs(root),
    readFile(path.join(root, 'sandbox/node/proxy.cjs')),
  ]);
  return { [runnerOutput]: new TextEncoder().encode(runner), 'sandbox/node-proxy.cjs': nodeProxy, ...quickjs };
};

/** Puts them beside what a build of the main process puts out: `out/main` gets `out/sandbox` as a neighbour. */
export const withRunner = (root: string): Plugin => ({
  name: 'oauth3-runner',
  apply: 'build',
  async writeBundle({ dir }) {
    if (dir === undefined) throw new Error('The build has no output folder.');
    for (const [name, bytes] of Object.entries(await sandboxFiles(root))) {
      const file = path.join(path.dirname(dir), name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, bytes);
    }
  },
});

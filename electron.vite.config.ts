import path from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';
import { withRunner } from './build/runnerBundle.ts';
import { unbundledModules } from './build/shippedModules.ts';

const at = (file: string): string => path.resolve(import.meta.dirname, file);

/** The oldest Electron that is executed (33: Node 20.18, Chromium 130); a newer one runs the same code. */
const nodeTarget = 'node20.18';
const chromiumTarget = 'chrome130';

export default defineConfig({
  main: {
    plugins: [withRunner(import.meta.dirname)],
    build: {
      target: nodeTarget,
      externalizeDeps: false,
      rolldownOptions: {
        input: {
          index: at('main/index.ts'),
          // Started as a process of its own for each embedded run.
          'quickjs-child': at('sandbox/quickjs/child.ts'),
        },
        external: unbundledModules,
        output: {
          entryFileNames: '[name].js',
          chunkFileNames: 'chunks/[name]-[hash].js',
          // node-fetch, which grammY uses, tells an AbortSignal by the name of its class.
          keepNames: true,
        },
      },
    },
  },
  preload: {
    build: {
      target: nodeTarget,
      externalizeDeps: false,
      // A sandboxed preload cannot require files: each one is a single CommonJS file.
      isolatedEntries: true,
      rolldownOptions: {
        input: { window: at('preload/window.ts'), decision: at('preload/decision.ts') },
        output: { format: 'cjs', entryFileNames: '[name].js' },
      },
    },
  },
  renderer: {
    root: at('renderer'),
    plugins: [react()],
    build: {
      target: chromiumTarget,
      // The content policy of the views allows no `data:` address.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: { window: at('renderer/window/index.html'), decision: at('renderer/decision/index.html') },
      },
    },
  },
});

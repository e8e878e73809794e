import { existsSync } from 'node:fs';
import path from 'node:path';
import { defineConfig } from 'vitest/config';
import { isStrict, namedEngine } from './scripts/test/engine.ts';

const noElectron = path.resolve(import.meta.dirname, 'tests/support/noElectron.ts');
const alias = [{ find: /^electron(-store|\/.+)?$/, replacement: noElectron }];

const dockerAttacks = 'tests/attacks/docker-*.test.ts';
/** A machine without an engine has no tests that need one, except in CI, where nothing is left out. */
const mayHaveEngine = isStrict || existsSync((namedEngine ?? '').replace('unix://', ''));

const sources = '{contract,main,preload,renderer,cli,sandbox,scripts,build,bench}';

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'unit',
          include: [`${sources}/**/*.test.{ts,tsx}`],
          testTimeout: 15_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'integration',
          include: ['tests/{integration,attacks,fuzz}/**/*.test.ts'],
          exclude: [dockerAttacks],
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        // These share the one container engine of the machine, and some count what is in it: one file at a time.
        resolve: { alias },
        test: {
          name: 'docker',
          include: mayHaveEngine ? ['tests/docker/**/*.test.ts', dockerAttacks] : [],
          globalSetup: ['tests/support/engineUnderTest.ts'],
          setupFiles: ['tests/support/engineRequired.ts'],
          sequence: { groupOrder: 2 },
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Each of these starts a desktop and the built app: one at a time.
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          exclude: mayHaveEngine ? [] : ['tests/e2e/sandboxes.test.ts'],
          globalSetup: ['tests/support/stage.ts', 'tests/support/engineUnderTest.ts'],
          sequence: { groupOrder: 3 },
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});

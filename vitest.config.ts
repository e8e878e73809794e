import path from 'node:path';
import { defineConfig } from 'vitest/config';

const noElectron = path.resolve(import.meta.dirname, 'tests/support/noElectron.ts');
const alias = [{ find: /^electron(-store|\/.+)?$/, replacement: noElectron }];

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
          include: ['tests/{integration,attacks}/**/*.test.ts'],
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        // Each of these starts a desktop and the built app: one at a time.
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          globalSetup: ['tests/support/stage.ts'],
          sequence: { groupOrder: 2 },
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});

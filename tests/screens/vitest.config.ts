import path from 'node:path';
import { defineConfig } from 'vitest/config';

/** `npm run screens` only: pictures are for people to look at, so they are no part of the tests. */
export default defineConfig({
  root: path.resolve(import.meta.dirname, '../..'),
  test: {
    include: ['tests/screens/**/*.test.ts'],
    globalSetup: ['tests/support/stage.ts'],
    testTimeout: 600_000,
    hookTimeout: 120_000,
  },
});

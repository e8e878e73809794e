import path from 'node:path';

/** Where the built runner stands; `packageFolder` is the one that holds package.json, or the packaged archive. */
export const runnerFile = (packageFolder: string): string => path.join(packageFolder, 'out/sandbox/runner.mjs');

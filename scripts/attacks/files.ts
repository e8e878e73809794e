import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../setup/checkout.ts';

const folders = ['contract', 'main', 'cli', 'sandbox', 'tests'];
/** How a title that names a case begins, or names it later. */
const title = /['"`][A-Q]\d{1,3}\b|\(ATTACKS [A-Q]\d/;

/**
 * Test files with a title that names a case, relative to the root. They are run whole: tests of one file may stand on
 * what earlier ones did.
 */
export const attackFiles = (): readonly string[] =>
  folders
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
        path.join(folder, name),
      ),
    )
    .filter((file) => /\.test\.tsx?$/.test(file) && title.test(readFileSync(path.join(root, file), 'utf8')))
    .sort();

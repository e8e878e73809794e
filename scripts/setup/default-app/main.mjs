// Stock Electron opens the app folder named on its command line with a `default_app.asar`; the borrowed runtime has none.
// This does that one thing, and before it what `-r <module>` names. Top-level await holds back `ready` until the app's
// own entry has run, as in stock Electron.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { app } from 'electron';

const given = process.argv.slice(1);
const preloaded = given.indexOf('-r');
if (preloaded !== -1) {
  const [, file] = given.splice(preloaded, 2);
  createRequire(import.meta.url)(path.resolve(file));
}
const folderArgument = given.find((argument) => !argument.startsWith('-'));
if (!folderArgument) {
  process.stderr.write('usage: electron [switches] [-r <module>] <app folder>\n');
  process.exit(2);
}
const folder = path.resolve(folderArgument);
const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
app.name = manifest.productName ?? manifest.name;
app.setVersion(manifest.version);
app.setDesktopName(`${manifest.name}.desktop`);
app.setAppPath(folder);
Object.defineProperty(process, 'defaultApp', { value: true });
try {
  await import(pathToFileURL(path.join(folder, manifest.main)).href);
} catch (error) {
  // Left alone, Electron would show a dialog and wait: nobody sees it on a virtual display.
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  app.exit(1);
}

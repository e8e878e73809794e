/** `npm run dist [folder]`: the app as a folder that runs without Node or npm, with its fuses flipped; default dist/. */
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { build, Platform } from 'electron-builder';
import { packagingConfiguration } from '../build/packaging.ts';
import { ensureBuilt } from './setup/appBuild.ts';
import { cacheDirectory, root, runScript, SetupError, say } from './setup/checkout.ts';
import { run } from './setup/command.ts';
import { resolveRuntime, standInNotice } from './setup/electronRuntime.ts';

await runScript(async () => {
  const runtime = await resolveRuntime();
  await ensureBuilt();
  const notice = standInNotice(runtime);
  if (notice) say(notice);
  const output = path.resolve(process.argv[2] ?? path.join(root, 'dist'));
  const work = await mkdtemp(path.join(cacheDirectory, 'making-'));
  try {
    // The borrowed runtime has a starter in resources/app, which must not be packed along.
    const electronDist = path.join(work, 'electron');
    const copied = await run('cp', ['-a', runtime.directory, electronDist]);
    if (copied.code !== 0) throw new SetupError(`Cannot copy ${runtime.directory}: ${copied.stderr.trim()}`);
    await rm(path.join(electronDist, 'resources/app'), { recursive: true, force: true });
    await build({
      targets: Platform.current().createTarget('dir'),
      projectDir: root,
      publish: 'never',
      config: packagingConfiguration({
        root,
        output,
        electronDist,
        electronVersion: runtime.version,
        sqliteBinding: runtime.sqliteBinding,
      }),
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  say(`The app is in ${output}`);
  return 0;
});

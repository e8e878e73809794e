/**
 * `npm run screens [-- --every-look FOLDER]`: starts the real app under a virtual display, brings every view into every
 * state and takes pictures into docs/screens. With `--every-look` into FOLDER, also dark, at 200 % and 600 px wide.
 */
import path from 'node:path';
import { root, runScript } from './setup/checkout.ts';
import { run } from './setup/command.ts';

await runScript(async () => {
  const [option, folder] = process.argv.slice(2);
  const every = option === '--every-look' && folder !== undefined;
  const env = {
    ...process.env,
    OAUTH3_SCREENS: every ? path.resolve(folder) : path.join(root, 'docs/screens'),
    OAUTH3_EVERY_LOOK: every ? '1' : '0',
  };
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
  const config = path.join(root, 'tests/screens/vitest.config.ts');
  const { code } = await run(process.execPath, [vitest, 'run', '--config', config], { cwd: root, show: true, env });
  return code;
});

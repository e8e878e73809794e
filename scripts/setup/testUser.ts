import { chmod, chown, cp, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { shippedModules } from '../../build/shippedModules.ts';
import { isRoot, root, SetupError } from './checkout.ts';
import { run } from './command.ts';
import type { ElectronRuntime } from './electronRuntime.ts';

/** `nobody`: there on every Linux; a number without an account would not do, because a session bus refuses it. */
const TEST_UID = 65534;

/** Who the end-to-end tests run the app as: never root, because root has no Chromium sandbox and no file modes. */
export type TestUser = Readonly<{
  uid: number;
  /** Puts a command line under this user. */
  as(program: string, args: readonly string[]): readonly [string, readonly string[]];
  /** Makes a file or folder that we made this user's own. */
  own(file: string): Promise<void>;
}>;

export const testUser: TestUser = isRoot
  ? {
      uid: TEST_UID,
      as: (program, args) => [
        'setpriv',
        [`--reuid=${TEST_UID}`, `--regid=${TEST_UID}`, '--clear-groups', '--', program, ...args],
      ],
      own: (file) => chown(file, TEST_UID, TEST_UID),
    }
  : { uid: process.getuid?.() ?? 0, as: (program, args) => [program, args], own: async () => undefined };

/** The built app and its runtime where the test user can read and run them. */
export type Stage = Readonly<{ executable: string; app: string; sqliteBinding: string | undefined }>;

/** Hard links where the file system allows, because a runtime is 300 MB; nothing in it is written to afterwards. */
const copyTree = async (from: string, to: string): Promise<void> => {
  if ((await run('cp', ['-al', from, to])).code === 0) return;
  await rm(to, { recursive: true, force: true });
  const copied = await run('cp', ['-a', from, to]);
  if (copied.code !== 0) throw new SetupError(`Cannot copy ${from}: ${copied.stderr.trim()}`);
};

const stageRuntime = async (runtime: ElectronRuntime, directory: string): Promise<void> => {
  await copyTree(runtime.directory, directory);
  // Chromium's sandbox helper counts only when it is root's and setuid: an own copy, so that the cache stays as it was.
  const helper = path.join(directory, 'chrome-sandbox');
  await rm(helper);
  await cp(path.join(runtime.directory, 'chrome-sandbox'), helper);
  await chown(helper, 0, 0);
  await chmod(helper, 0o4755);
};

const stageApp = async (directory: string): Promise<void> => {
  await mkdir(directory);
  const parts = ['package.json', 'out', 'build/icons', ...shippedModules(root).map((name) => `node_modules/${name}`)];
  for (const part of parts) {
    await cp(path.join(root, part), path.join(directory, part), { recursive: true, dereference: true });
  }
};

/**
 * Sets the app up for the test user; `remove` takes it away again. As root that is a copy under /var/tmp with an
 * `electron` that changes user first; otherwise the checkout and the runtime themselves.
 */
export const makeStage = async (
  runtime: ElectronRuntime,
): Promise<Readonly<{ stage: Stage; remove(): Promise<void> }>> => {
  if (!isRoot) {
    const { executable, sqliteBinding } = runtime;
    return { stage: { executable, app: root, sqliteBinding }, remove: async () => undefined };
  }
  const folder = await mkdtemp('/var/tmp/oauth3-stage-');
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await chmod(folder, 0o755);
    await stageRuntime(runtime, path.join(folder, 'runtime'));
    await stageApp(path.join(folder, 'app'));
    const sqliteBinding = runtime.sqliteBinding && path.join(folder, 'sqlite.node');
    if (runtime.sqliteBinding && sqliteBinding) await cp(runtime.sqliteBinding, sqliteBinding);
    const executable = path.join(folder, 'electron');
    const [program, args] = testUser.as(path.join(folder, 'runtime', path.basename(runtime.executable)), []);
    await writeFile(executable, `#!/bin/sh\nexec ${[program, ...args].join(' ')} "$@"\n`);
    await chmod(executable, 0o755);
    await stat(executable);
    return { stage: { executable, app: path.join(folder, 'app'), sqliteBinding }, remove };
  } catch (error) {
    await remove();
    throw error;
  }
};

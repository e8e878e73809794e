import { access, copyFile, cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { cacheDirectory, root, SetupError, say } from './checkout.ts';
import { run } from './command.ts';
import { ensureBuildTools } from './systemPackages.ts';

/** better-sqlite3's prebuilt binding asks for this Node-API; an older runtime needs one made from its source. */
const PREBUILT_NODE_API = 10;

const require = createRequire(import.meta.url);

const versionOf = (name: string): string => {
  const manifest: { version: string } = require(path.join(root, 'node_modules', name, 'package.json'));
  return manifest.version;
};

/** Node headers stand beside the Node that runs our scripts, so nothing is downloaded for the build. */
const nodeHeaders = (): string =>
  path.join(root, 'node_modules/node/node_modules', `node-${process.platform}-${process.arch}`);

const compile = async (work: string): Promise<string> => {
  const modules = path.join(work, 'node_modules');
  for (const name of ['better-sqlite3', 'node-addon-api']) {
    await cp(path.join(root, 'node_modules', name), path.join(modules, name), { recursive: true });
  }
  const source = path.join(modules, 'better-sqlite3');
  const nodeGyp = path.join(root, 'node_modules/node-gyp/bin/node-gyp.js');
  const built = await run(
    process.execPath,
    [nodeGyp, 'rebuild', '--release', '--force_build=1', `--nodedir=${nodeHeaders()}`],
    {
      cwd: source,
      // The source fixes NAPI_VERSION=10 although it calls nothing newer than 9; the experimental headers let it link.
      env: {
        ...process.env,
        CXXFLAGS: '-UNAPI_VERSION -DNAPI_EXPERIMENTAL -DNODE_API_EXPERIMENTAL_NO_WARNING',
      },
    },
  );
  if (built.code !== 0) throw new SetupError(`better-sqlite3 could not be built:\n${built.stderr.slice(-2000)}`);
  return path.join(source, 'build/Release/better_sqlite3.node');
};

/**
 * The binding that better-sqlite3 must load in a runtime of that Node-API (it goes into OAUTH3_SQLITE_BINDING), or
 * undefined where the prebuilt one fits. Built once, about a minute, and kept in the cache. Throws SetupError.
 */
export const ensureSqliteBinding = async (nodeApi: number): Promise<string | undefined> => {
  if (nodeApi >= PREBUILT_NODE_API) return undefined;
  const name = `better-sqlite3-${versionOf('better-sqlite3')}-napi${nodeApi}-${process.platform}-${process.arch}.node`;
  const binding = path.join(cacheDirectory, name);
  const present = await access(binding).then(
    () => true,
    () => false,
  );
  if (present) return binding;
  await ensureBuildTools();
  say('Building the database binding for that runtime (about a minute, once) ...');
  await mkdir(cacheDirectory, { recursive: true });
  const work = await mkdtemp(path.join(cacheDirectory, 'making-'));
  try {
    const ready = path.join(work, name);
    await copyFile(await compile(work), ready);
    await rename(ready, binding);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return binding;
};

import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import type { AfterPackContext, Configuration } from 'electron-builder';
import { flipPackagedFuses } from './fuses.ts';
import { shippedModules } from './shippedModules.ts';

export type PackagingInput = Readonly<{
  root: string;
  /** Where the packaged app is put. */
  output: string;
  /** A folder with nothing but the runtime: no app in its resources. */
  electronDist: string;
  electronVersion: string;
  /** Stands in for better-sqlite3's prebuilt binding where the runtime cannot load that one. */
  sqliteBinding: string | undefined;
}>;

const prebuilt = `${process.platform}-${process.arch}.node`;
const prebuilds = 'node_modules/better-sqlite3/prebuilds';

const putBinding = async ({ appOutDir, packager }: AfterPackContext, binding: string): Promise<void> => {
  const resources = packager.getResourcesDir(appOutDir);
  await copyFile(binding, path.join(resources, 'app.asar.unpacked', prebuilds, prebuilt));
};

/** electron-builder's configuration: only what runs goes in, out of what is on this machine, without a download. */
export const packagingConfiguration = (input: PackagingInput): Configuration => ({
  appId: 'io.github.oauth3.openclaw',
  productName: 'OAuth3',
  electronVersion: input.electronVersion,
  electronDist: input.electronDist,
  npmRebuild: false,
  asar: true,
  // A native binding is opened by the system loader, which knows no archive.
  asarUnpack: [`${prebuilds}/**`],
  directories: { output: input.output, buildResources: 'build/icons' },
  files: [
    'package.json',
    'out/**',
    '!out/built-from',
    'build/icons/**',
    // How images are made on public ones.
    'sandbox/images/**',
    '!node_modules/**',
    ...shippedModules(input.root).map((name) => `node_modules/${name}/**`),
    '!node_modules/better-sqlite3/{deps,src}/**',
    '!**/*.{map,d.ts,d.mts}',
    `!${prebuilds}/!(${prebuilt})`,
  ],
  linux: { executableName: 'oauth3', icon: 'build/icons', category: 'Utility', target: ['dir'] },
  mac: { target: ['dir'] },
  win: { target: ['dir'] },
  afterPack: async (context) => {
    if (input.sqliteBinding) await putBinding(context, input.sqliteBinding);
    await flipPackagedFuses(context);
  },
});

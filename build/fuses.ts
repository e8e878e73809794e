import path from 'node:path';
import { FuseV1Options, FuseVersion, flipFuses } from '@electron/fuses';
import type { AfterPackContext } from 'electron-builder';

/** The packaged program can do nothing but be this app: no Node, no debugger, no other code. */
const fuses = {
  [FuseV1Options.RunAsNode]: false,
  [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: false,
  [FuseV1Options.EnableNodeCliInspectArguments]: false,
  [FuseV1Options.OnlyLoadAppFromAsar]: true,
  // The views come over a scheme of our own; file: gets no more than any other page would.
  [FuseV1Options.GrantFileProtocolExtraPrivileges]: false,
  // No view sets a cookie, and turning this on would ask for the keyring at each start.
  [FuseV1Options.EnableCookieEncryption]: false,
  // The snapshot file that it wants is not shipped.
  [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
} as const;

const executableOf = ({ appOutDir, electronPlatformName, packager }: AfterPackContext): string => {
  const name = packager.appInfo.productFilename;
  if (electronPlatformName === 'darwin') return path.join(appOutDir, `${name}.app`, 'Contents/MacOS', name);
  if (electronPlatformName === 'win32') return path.join(appOutDir, `${name}.exe`);
  return path.join(appOutDir, 'executableName' in packager ? String(packager.executableName) : name);
};

/** electron-builder's step after the files of the app stand in place and before anything is signed or archived. */
export const flipPackagedFuses = async (context: AfterPackContext): Promise<void> => {
  await flipFuses(executableOf(context), { version: FuseVersion.V1, ...fuses });
};

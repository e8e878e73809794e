import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { dataFiles, joinPath } from '../../contract/dataDir.ts';

/** `sun_path` has 108 bytes with its terminator on Linux; macOS has 104. */
const maxPathBytes = { linux: 107, other: 103 } as const;

export type PlaceFacts = Readonly<{
  dataDir: string;
  platform: string;
  /** `XDG_RUNTIME_DIR`, else the system's folder for temporary files. */
  runtimeDir: string;
}>;

/** Where the control socket is to be: in the data folder, or, if that path is too long for a socket, a short one. */
export function controlPlace({ dataDir, platform, runtimeDir }: PlaceFacts): Readonly<{
  path: string;
  /** Folder of our own that has to be made, private, for a socket outside the data folder. */
  folder: string | null;
}> {
  const tag = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  if (platform === 'win32') return { path: `\\\\.\\pipe\\oauth3-${tag}`, folder: null };
  const direct = joinPath(platform, dataDir, dataFiles.controlSocket);
  if (Buffer.byteLength(direct) <= (platform === 'linux' ? maxPathBytes.linux : maxPathBytes.other)) {
    return { path: direct, folder: null };
  }
  const folder = joinPath(platform, runtimeDir, `oauth3-${tag}`);
  return { path: joinPath(platform, folder, dataFiles.controlSocket), folder };
}

/** Makes the folder 0700, or takes an existing one only if it is really a folder of ours. Throws if it is not. */
export function makePrivateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const facts = lstatSync(folder);
  if (!facts.isDirectory() || (process.getuid !== undefined && facts.uid !== process.getuid())) {
    throw new Error(`${folder} is not a folder of this user; remove it`);
  }
  chmodSync(folder, 0o700);
}

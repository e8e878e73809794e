/** What the place of the data folder depends on; the caller gathers it, so that app and CLI come to the same answer. */
export type MachineFacts = Readonly<{
  env: Readonly<Record<string, string | undefined>>;
  /** As `process.platform`. */
  platform: string;
  homeDir: string;
}>;

/** Files in the data folder that more than one program knows. */
export const dataFiles = {
  database: 'proxy.db',
  controlSocket: 'control.sock',
  /** Holds the real path of the control socket, one line. */
  controlPath: 'control.path',
  /** Windows only: whoever can read it may speak on the pipe. */
  controlToken: 'control.token',
} as const;

const folderName = 'oauth3';

/** Joins with the separator of that platform; `parts` are plain names. */
export function joinPath(platform: string, folder: string, ...parts: readonly string[]): string {
  return [folder, ...parts].join(platform === 'win32' ? '\\' : '/');
}

const set = (text: string | undefined): text is string => text !== undefined && text.trim() !== '';

/**
 * The folder that holds everything: `OAUTH3_DATA_DIR`, else the platform's place for program data. May be relative when
 * the variable is; the caller resolves it.
 */
export function dataDir({ env, platform, homeDir }: MachineFacts): string {
  if (set(env.OAUTH3_DATA_DIR)) return env.OAUTH3_DATA_DIR.trim();
  if (platform === 'win32') {
    return set(env.APPDATA)
      ? joinPath(platform, env.APPDATA, folderName)
      : joinPath(platform, homeDir, 'AppData', 'Roaming', folderName);
  }
  if (platform === 'darwin') return joinPath(platform, homeDir, 'Library', 'Application Support', folderName);
  // XDG Base Directory: a relative path in the variable is to be ignored.
  if (set(env.XDG_DATA_HOME) && env.XDG_DATA_HOME.startsWith('/')) {
    return joinPath(platform, env.XDG_DATA_HOME, folderName);
  }
  return joinPath(platform, homeDir, '.local', 'share', folderName);
}

/** The folder for what can be made again (layers of images, the borrowed runtime of scripts). Safe to delete. */
export function cacheDir({ env, platform, homeDir }: MachineFacts): string {
  if (platform === 'win32') {
    const local = set(env.LOCALAPPDATA) ? env.LOCALAPPDATA : joinPath(platform, homeDir, 'AppData', 'Local');
    return joinPath(platform, local, folderName, 'Cache');
  }
  if (platform === 'darwin') return joinPath(platform, homeDir, 'Library', 'Caches', folderName);
  const base = set(env.XDG_CACHE_HOME) && env.XDG_CACHE_HOME.startsWith('/') ? env.XDG_CACHE_HOME : null;
  return joinPath(platform, base ?? joinPath(platform, homeDir, '.cache'), folderName);
}

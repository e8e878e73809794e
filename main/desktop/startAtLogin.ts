import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../core/log.ts';

/** What the system does by itself when the owner logs in. `set` may reject when the system does not let it. */
export type LoginStart = Readonly<{ set: (on: boolean) => Promise<void> }>;

export type LoginCommand = Readonly<{ program: string; args: readonly string[] }>;

/** A program and its arguments as `Exec` of a desktop entry (Desktop Entry Specification, "The Exec key"). */
function execLine({ program, args }: LoginCommand): string {
  // Quoted by its rules, then escaped as every string value of such a file is.
  const quoted = [program, ...args].map((part) => `"${part.replace(/["`$\\]/g, '\\$&').replaceAll('%', '%%')}"`);
  return quoted.join(' ').replaceAll('\\', '\\\\');
}

/** Linux: an entry in the autostart folder (Desktop Application Autostart Specification). */
export function autostartEntry(configHome: string, command: LoginCommand): LoginStart {
  const folder = join(configHome, 'autostart');
  const file = join(folder, 'oauth3.desktop');
  const lines = [
    '[Desktop Entry]',
    'Type=Application',
    'Name=OAuth3',
    `Exec=${execLine(command)}`,
    'Terminal=false',
    '',
  ];
  return {
    set: async (on) => {
      if (!on) return rm(file, { force: true });
      await mkdir(folder, { recursive: true });
      await writeFile(file, lines.join('\n'), { mode: 0o600 });
    },
  };
}

type LoginItems = Readonly<{
  setLoginItemSettings: (settings: { openAtLogin: boolean; path?: string; args?: string[] }) => void;
}>;

/** macOS and Windows: Electron's own list of what opens at login. */
export function loginItem(app: LoginItems, { program, args }: LoginCommand): LoginStart {
  return { set: async (on) => app.setLoginItemSettings({ openAtLogin: on, path: program, args: [...args] }) };
}

/** Brings the system to what the owner wants now. Call it whenever that may have changed; a failure is logged. */
export function followLoginStart(start: LoginStart, wanted: () => boolean, log: Log): () => void {
  let set = false;
  return () => {
    const on = wanted();
    if (on === set) return;
    set = on;
    start.set(on).catch((error: unknown) => log.warn({ err: error }, 'starting at login could not be set'));
  };
}

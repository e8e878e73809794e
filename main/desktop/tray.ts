import { join } from 'node:path';
import { dialog, Menu, type MenuItemConstructorOptions, nativeImage, Tray } from 'electron';
import type { Log } from '../core/log.ts';
import { recentLabel, type TrayFacts, trayIcon, trayIconFile, trayTooltip, waitingText } from './trayModel.ts';

export type TrayActions = Readonly<{
  open: () => void;
  openRun: (requestId: string) => void;
  pause: () => void;
  resume: () => void;
  lock: () => void;
  panic: () => void;
  quit: () => void;
}>;

/** The tray icon and its menu. Without a tray the app still works: a second launch opens the window. */
export class AppTray {
  readonly #tray: Tray | null;
  readonly #icons: string;
  readonly #actions: TrayActions;
  #shown = '';

  constructor(icons: string, actions: TrayActions, facts: TrayFacts, log: Log) {
    this.#icons = icons;
    this.#actions = actions;
    this.#tray = this.#create(facts, log);
    this.#tray?.on('click', actions.open);
    this.update(facts);
  }

  /** On Linux a menu shows new labels only once it is set anew; a menu that is open closes then, so only if it must. */
  update(facts: TrayFacts): void {
    const next = JSON.stringify(facts);
    if (this.#tray === null || next === this.#shown) return;
    this.#shown = next;
    this.#tray.setImage(this.#image(facts));
    this.#tray.setToolTip(trayTooltip(facts));
    // The number beside the icon, which only macOS draws.
    this.#tray.setTitle(facts.waiting > 0 ? `${facts.waiting}` : '');
    this.#tray.setContextMenu(Menu.buildFromTemplate(this.#menu(facts)));
  }

  dispose(): void {
    this.#tray?.destroy();
  }

  #create(facts: TrayFacts, log: Log): Tray | null {
    try {
      return new Tray(this.#image(facts));
    } catch (error) {
      log.warn({ err: error }, 'no tray on this desktop; start OAuth3 again to open its window');
      return null;
    }
  }

  #image(facts: TrayFacts): Electron.NativeImage {
    return nativeImage.createFromPath(join(this.#icons, trayIconFile(trayIcon(facts), process.platform)));
  }

  #menu(facts: TrayFacts): MenuItemConstructorOptions[] {
    const actions = this.#actions;
    const locked = facts.vault !== 'unlocked';
    return [
      { label: waitingText(facts.waiting), enabled: facts.waiting > 0, click: actions.open },
      ...(facts.preparing === null ? [] : [{ label: facts.preparing, enabled: false }]),
      { label: 'Open OAuth3', click: actions.open },
      { type: 'separator' },
      facts.paused ? { label: 'Resume', click: actions.resume } : { label: 'Pause', click: actions.pause },
      { label: locked ? 'Vault is locked' : 'Lock the vault', enabled: !locked, click: actions.lock },
      { label: 'Panic…', click: () => void askPanic(actions.panic) },
      { type: 'separator' },
      {
        label: 'Recent runs',
        enabled: facts.recent.length > 0,
        submenu: facts.recent.map((run) => ({ label: recentLabel(run), click: () => actions.openRun(run.requestId) })),
      },
      { type: 'separator' },
      { label: 'Quit', click: actions.quit },
    ];
  }
}

async function askPanic(panic: () => void): Promise<void> {
  const answer = await dialog.showMessageBox({
    type: 'warning',
    message: 'Stop everything?',
    detail: 'Running code is killed, all trust is revoked, every agent is paused and the vault is locked.',
    buttons: ['Cancel', 'Stop everything'],
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  });
  if (answer.response === 1) panic();
}

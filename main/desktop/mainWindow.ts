import { join } from 'node:path';
import { app, BrowserWindow, nativeTheme, screen, session } from 'electron';
import { serveView, viewUrl } from './scheme.ts';
import { reachable, type WindowBounds, type WindowBoundsStore } from './windowBounds.ts';

/** Everything a view gets: nothing of Node, its own process sandbox, its own JavaScript world for the preload. */
export function viewPreferences(preload: string, partition: string): Electron.WebPreferences {
  return {
    preload,
    partition,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInSubFrames: false,
    webviewTag: false,
    navigateOnDragDrop: false,
    // A page's own dialogs would stand above the decision view.
    disableDialogs: true,
    devTools: !app.isPackaged,
    spellcheck: false,
    enableWebSQL: false,
  };
}

/** `--surface` of renderer/shared/tokens.css: what a view shows before its page is there. */
export function surfaceColor(): string {
  return nativeTheme.shouldUseDarkColors ? '#14171d' : '#f6f7f9';
}

export type MainWindowPaths = Readonly<{ renderer: string; preload: string; icon: string }>;

const defaultBounds: WindowBounds = { width: 1080, height: 760 };

/** Makes the (hidden) main window; its page is loaded when it is first opened. Closing hides it: the app lives in the tray. */
export function createMainWindow(paths: MainWindowPaths, bounds: WindowBoundsStore): BrowserWindow {
  const partition = 'oauth3-window';
  serveView(session.fromPartition(partition), 'window', paths.renderer);
  const areas = screen.getAllDisplays().map((display) => display.workArea);
  const window = new BrowserWindow({
    ...reachable(bounds.load() ?? defaultBounds, areas),
    minWidth: 600,
    minHeight: 480,
    show: false,
    title: 'OAuth3',
    icon: paths.icon,
    autoHideMenuBar: true,
    backgroundColor: surfaceColor(),
    webPreferences: viewPreferences(join(paths.preload, 'window.js'), partition),
  });
  window.removeMenu();
  window.on('page-title-updated', (event) => event.preventDefault());
  window.on('close', (event) => {
    event.preventDefault();
    window.hide();
  });
  // When it goes out of sight, since Linux has no event for the end of moving and sizing.
  window.on('hide', () => bounds.save(window.getNormalBounds()));
  return window;
}

export function bringToFront(window: BrowserWindow): void {
  // A page takes 30 MB that nobody looks at after a login; one that died is started again.
  if (window.webContents.getURL() === '' || window.webContents.isCrashed()) void window.loadURL(viewUrl('window'));
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}

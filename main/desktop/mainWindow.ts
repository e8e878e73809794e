import { join } from 'node:path';
import { BrowserWindow, session } from 'electron';
import { hardenSession } from './hardening.ts';
import { serveView, viewUrl } from './scheme.ts';
import type { WindowBounds, WindowBoundsStore } from './windowBounds.ts';

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
    spellcheck: false,
    enableWebSQL: false,
  };
}

export type MainWindowPaths = Readonly<{ renderer: string; preload: string; icon: string }>;

const defaultBounds: WindowBounds = { width: 1080, height: 760 };

/** Makes the (hidden) main window and loads its view. Closing hides it: the app lives in the tray. */
export function createMainWindow(paths: MainWindowPaths, bounds: WindowBoundsStore): BrowserWindow {
  const partition = 'oauth3-window';
  const viewSession = session.fromPartition(partition);
  hardenSession(viewSession);
  serveView(viewSession, 'window', paths.renderer);
  const window = new BrowserWindow({
    ...(bounds.load() ?? defaultBounds),
    minWidth: 600,
    minHeight: 480,
    show: false,
    title: 'OAuth3',
    icon: paths.icon,
    autoHideMenuBar: true,
    backgroundColor: '#f6f7f9',
    webPreferences: viewPreferences(join(paths.preload, 'window.js'), partition),
  });
  window.removeMenu();
  const remember = (): void => bounds.save(window.getNormalBounds());
  window.on('resized', remember);
  window.on('moved', remember);
  void window.loadURL(viewUrl('window'));
  return window;
}

export function bringToFront(window: BrowserWindow): void {
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}

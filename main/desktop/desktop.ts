import { join } from 'node:path';
import { app, type BrowserWindow } from 'electron';
import { type CardKey, decisionIpc, windowIpc } from '../../contract/ipc.ts';
import type { OwnerActions } from '../../contract/owner.ts';
import type { Desk } from '../approvals/channel.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { RequestEvents } from '../core/runPorts.ts';
import { Arming } from './arming.ts';
import { type ConfirmBinding, decisionHandlers } from './decisionHandlers.ts';
import { DecisionView } from './decisionView.ts';
import { bindIpc } from './ipc.ts';
import { bringToFront, createMainWindow } from './mainWindow.ts';
import { Presenter } from './presenter.ts';
import { viewUrl } from './scheme.ts';
import { AppTray } from './tray.ts';
import type { TrayFacts } from './trayModel.ts';
import { openWindowBounds } from './windowBounds.ts';
import { windowChannel } from './windowChannel.ts';
import { windowHandlers } from './windowHandlers.ts';

export type DesktopPorts = Readonly<{
  owner: OwnerActions;
  desk: Desk & Readonly<{ addChannel: (channel: ReturnType<typeof windowChannel>) => void }>;
  confirmBinding: ConfirmBinding;
  events: RequestEvents;
  facts: () => TrayFacts;
  onFactsChanged: (listener: () => void) => () => void;
  dataDir: string;
  clock: Clock;
  log: Log;
}>;

export type Desktop = Readonly<{ openWindow: () => void; openCard: (key: CardKey) => void; dispose: () => void }>;

/** Built files beside the main bundle, in the repository and in a packaged app alike. */
const built = join(import.meta.dirname, '..');
const icons = join(app.getAppPath(), 'build', 'icons');

/** Makes the window with its two views, the tray and the window channel, and ties them to the broker. */
export function createDesktop(ports: DesktopPorts): Desktop {
  const { owner, desk, log } = ports;
  const paths = { renderer: join(built, 'renderer'), preload: join(built, 'preload'), icon: join(icons, 'icon.png') };
  const window = createMainWindow(paths, openWindowBounds(ports.dataDir));
  const view = new DecisionView(window, paths);
  const presenter = new Presenter({
    window,
    view,
    arming: new Arming(ports.clock),
    card: (subject, id) => desk.card(subject, id),
    emitState: (state) => decisionSide.emit('state', state),
    emitPlace: (place) => windowSide.emit('decisionPlace', place),
  });
  const windowSide = bindIpc(
    { name: 'window', contents: window.webContents, url: viewUrl('window') },
    windowIpc,
    windowHandlers(owner, desk, presenter),
    log,
  );
  const decisionSide = bindIpc(
    { name: 'decision', contents: view.view.webContents, url: view.url },
    decisionIpc,
    decisionHandlers(owner, desk, ports.confirmBinding, presenter),
    log,
  );
  const openWindow = (): void => bringToFront(window);
  const tray = new AppTray(
    join(icons, 'tray'),
    {
      open: openWindow,
      pause: () => owner.pause('desktop'),
      resume: () => owner.resume('desktop'),
      lock: () => owner.lock('desktop'),
      panic: () => void owner.panic('desktop'),
      quit: () => app.quit(),
    },
    ports.facts(),
    log,
  );
  const refresh = (what: 'waiting' | 'requests' | 'status'): void => {
    tray.update(ports.facts());
    windowSide.emit('changed', { what });
  };
  desk.addChannel(windowChannel(presenter, () => refresh('waiting')));
  const unsubscribe = [
    ports.events.onChanged(() => refresh('requests')),
    ports.onFactsChanged(() => refresh('status')),
  ];
  hideOnClose(window);
  return {
    openWindow,
    openCard: (key) => {
      if (!presenter.open(key, true)) openWindow();
      windowSide.emit('openCard', key);
    },
    dispose: () => {
      for (const stop of unsubscribe) stop();
      presenter.dispose();
      tray.dispose();
      windowSide.dispose();
      decisionSide.dispose();
      window.destroy();
    },
  };
}

/** Closing the window leaves the app in the tray; only quitting ends it. */
function hideOnClose(window: BrowserWindow): void {
  let quitting = false;
  app.on('before-quit', () => {
    quitting = true;
  });
  window.on('close', (event) => {
    if (quitting) return;
    event.preventDefault();
    window.hide();
  });
}

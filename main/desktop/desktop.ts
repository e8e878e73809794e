import { join } from 'node:path';
import { app, clipboard } from 'electron';
import {
  type CardKey,
  type DecisionPlace,
  type DeskSnapshot,
  decisionIpc,
  type Opening,
  windowIpc,
} from '../../contract/ipc.ts';
import type { OwnerActions } from '../../contract/owner.ts';
import type { ConfirmBinding, Desk } from '../approvals/channel.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { RequestEvents } from '../core/runPorts.ts';
import { Admission } from './admission.ts';
import { Arming } from './arming.ts';
import { AuditDesk } from './auditDesk.ts';
import { ChangeFeed } from './changeFeed.ts';
import { decisionHandlers } from './decisionHandlers.ts';
import { DecisionView } from './decisionView.ts';
import { askOwner, chooseEnvFile, chooseExport, tellThatItRuns } from './dialogs.ts';
import { EnvImport } from './envImport.ts';
import { bindIpc } from './ipc.ts';
import { bringToFront, createMainWindow } from './mainWindow.ts';
import { Presenter } from './presenter.ts';
import { RunWatch } from './runWatch.ts';
import { viewUrl } from './scheme.ts';
import { watchSight } from './sight.ts';
import { autostartEntry, followLoginStart, type LoginStart, loginItem } from './startAtLogin.ts';
import { TokenCopy } from './tokenCopy.ts';
import { AppTray } from './tray.ts';
import type { TrayFacts } from './trayModel.ts';
import { openWindowBounds } from './windowBoundsStore.ts';
import { windowChannel } from './windowChannel.ts';
import { deskSnapshot, windowHandlers } from './windowHandlers.ts';
import { Zoom } from './zoom.ts';

export type DesktopPorts = Readonly<{
  owner: OwnerActions;
  desk: Desk & Readonly<{ addChannel: (channel: ReturnType<typeof windowChannel>) => void }>;
  confirmBinding: ConfirmBinding;
  events: RequestEvents;
  facts: () => TrayFacts;
  /** A notification that asks nothing; false when this desktop shows none. */
  tell: (title: string, body: string) => Promise<boolean>;
  onFactsChanged: (listener: () => void) => () => void;
  dataDir: string;
  clock: Clock;
  log: Log;
}>;

export type Desktop = Readonly<{
  openWindow: () => void;
  openCard: (key: CardKey) => void;
  dispose: () => Promise<void>;
}>;

/** Built files beside the main bundle, in the repository and in a packaged app alike. */
const built = join(import.meta.dirname, '..');
const icons = join(app.getAppPath(), 'build', 'icons');

/** Makes the window with its two views, the tray and the window channel, and ties them to the broker. */
export function createDesktop(ports: DesktopPorts): Desktop {
  const { owner, desk, log } = ports;
  const paths = { renderer: join(built, 'renderer'), preload: join(built, 'preload'), icon: join(icons, 'icon.png') };
  const bounds = openWindowBounds(ports.dataDir);
  const window = createMainWindow(paths, bounds);
  const openWindow = (): void => {
    bringToFront(window);
    view.load();
  };
  const view = new DecisionView(window, paths, () => zoom.factor);
  const zoom = new Zoom(bounds.loadZoom(), [window.webContents, view.view.webContents], (factor) => {
    bounds.saveZoom(factor);
    presenter.resized();
  });
  const presenter = new Presenter({
    window: {
      isVisible: () => window.isVisible(),
      isMinimized: () => window.isMinimized(),
      isFocused: () => window.isFocused(),
      bringToFront: openWindow,
    },
    view,
    arming: new Arming(ports.clock),
    card: (subject, id) => desk.card(subject, id),
    pauseOffer: (requestId) => owner.pauseOffer(requestId),
    isLocked: () => ports.facts().vault !== 'unlocked',
    emitState: (state) => decisionSide.emit('state', state),
    emitPlace: (place) => {
      shown.place = place === null ? null : inCssPixels(place, zoom.factor);
      windowSide.emit('decisionPlace', shown.place);
    },
  });
  const snapshot = (): DeskSnapshot => deskSnapshot(desk, ports.facts());
  /** For a page that was not there when it was said. */
  const shown: { place: DecisionPlace | null; run: string | null } = { place: null, run: null };
  const opening = (): Opening => {
    const { run } = shown;
    shown.run = null;
    return { desk: snapshot(), place: shown.place, run };
  };
  const envImport = new EnvImport({
    choose: () => chooseEnvFile(window),
    names: () => new Set(owner.secrets().map(({ name }) => name)),
    add: (secret) => void owner.addSecret('desktop', secret),
  });
  const runWatch = new RunWatch({
    pulse: (id) => owner.runPulse(id),
    isSeen: () => window.isVisible() && !window.isMinimized(),
    emit: (pulse) => windowSide.emit('runOutput', pulse),
    closed: () => owner.closeRun(),
    failed: (error) => log.warn({ err: error }, 'a run in flight could not be read'),
  });
  const auditDesk = new AuditDesk({
    owner,
    chooseFile: (name) => chooseExport(window, name),
    progress: (work) => windowSide.emit('auditWork', work),
  });
  const admission = new Admission({ telegram: owner.telegram(), ask: (question) => askOwner(window, question) });
  const tokenCopy = new TokenCopy({
    // Electron 33 answers at once, 45 with a promise.
    read: async () => clipboard.readText(),
    write: (text) => clipboard.writeText(text),
    clear: () => clipboard.clear(),
  });
  const windowSide = bindIpc(
    { name: 'window', contents: window.webContents, url: viewUrl('window') },
    windowIpc,
    windowHandlers({
      owner,
      opening,
      presenter,
      envImport,
      auditDesk,
      runWatch,
      admission,
      tokenCopy,
      quit: () => app.quit(),
    }),
    log,
  );
  const openRun = (id: string): void => {
    // A card stands above the page.
    presenter.close();
    shown.run = id;
    openWindow();
    windowSide.emit('openRun', { id });
  };
  const decisionSide = bindIpc(
    { name: 'decision', contents: view.view.webContents, url: view.url },
    decisionIpc,
    decisionHandlers(owner, desk, ports.confirmBinding, presenter, openRun),
    log,
  );
  const tray = createTray(ports, openWindow, openRun);
  const followLogin = followLoginStart(loginStart(), () => owner.settings()['app.start_at_login'], log);
  const feed = new ChangeFeed(
    () => window.isVisible(),
    () => windowSide.emit('changed', snapshot()),
  );
  const refresh = (): void => {
    tray.update(ports.facts());
    feed.changed();
    runWatch.seen();
    followLogin();
  };
  desk.addChannel(windowChannel(presenter, refresh));
  const unsubscribe = [
    ports.events.onChanged(refresh),
    ports.onFactsChanged(refresh),
    ports.onFactsChanged(() => presenter.factsChanged()),
    watchSight(window, presenter),
    () => feed.dispose(),
    () => runWatch.dispose(),
    () => envImport.forget(),
    () => auditDesk.dispose(),
  ];
  followLogin();
  window.on('show', () => feed.watched());
  for (const event of ['show', 'restore'] as const) window.on(event as 'show', () => runWatch.seen());
  // A page that is loaded anew has no run open.
  window.webContents.on('did-start-loading', () => runWatch.watch(null));
  window.on('close', () => {
    if (!bounds.closingWasTold()) void tellThatItRuns(ports.tell);
  });
  view.view.webContents.on('did-start-loading', () => presenter.viewStarted());
  return {
    openWindow,
    openCard: (key) => {
      if (!presenter.open(key, true)) openWindow();
      windowSide.emit('openCard', key);
    },
    dispose: async () => {
      await tokenCopy.takeBack();
      for (const stop of unsubscribe) stop();
      presenter.dispose();
      tray.dispose();
      windowSide.dispose();
      decisionSide.dispose();
      if (window.isVisible()) bounds.save(window.getNormalBounds());
      window.destroy();
    },
  };
}

function createTray({ owner, facts, log }: DesktopPorts, open: () => void, openRun: (id: string) => void): AppTray {
  const by = 'desktop';
  const actions = {
    open,
    openRun,
    pause: () => owner.pause(by),
    resume: () => owner.resume(by),
    lock: () => owner.lock(by),
    panic: () => void owner.panic(by),
    quit: () => app.quit(),
  };
  return new AppTray(join(icons, 'tray'), actions, facts(), log);
}

function loginStart(): LoginStart {
  const program = process.env.APPIMAGE ?? process.execPath;
  const command = { program, args: app.isPackaged ? [] : [app.getAppPath()] };
  if (process.platform !== 'linux') return loginItem(app, command);
  return autostartEntry(process.env.XDG_CONFIG_HOME ?? join(app.getPath('home'), '.config'), command);
}

/** As the page counts, which is drawn at another size. */
function inCssPixels({ x, y, width, height, card }: DecisionPlace, zoom: number): DecisionPlace {
  return { x: x / zoom, y: y / zoom, width: width / zoom, height: height / zoom, card };
}

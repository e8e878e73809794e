import { join } from 'node:path';
import { app, powerMonitor } from 'electron';
import { type Broker, createBroker } from './broker.ts';
import type { Log } from './core/log.ts';
import { systemClock } from './core/systemClock.ts';
import { createDesktop, type Desktop } from './desktop/desktop.ts';
import { hardenEverything } from './desktop/hardening.ts';
import { registerScheme } from './desktop/scheme.ts';
import { utilityChildLauncher } from './desktop/utilityChild.ts';
import { createLog } from './logging.ts';
import { desktopNotifier } from './notify/desktopNotifier.ts';
import {
  endOnDefect,
  environmentWithFile,
  explainStartFailure,
  readStartFacts,
  readyText,
  type StartFacts,
} from './startup.ts';
import { electronKeyring } from './vault/electronKeyring.ts';

/** With one of these the windows are not isolated, or another program can press their buttons. */
const refusedSwitches = ['no-sandbox', 'disable-web-security', 'remote-debugging-port', 'remote-debugging-pipe'];

const asksNothing = { actions: [], defaultKey: null, urgency: 'normal', replaces: null } as const;

/** The Electron shell: puts the broker, the desktop and the operating system together, and ends them in order. */
function main(): void {
  const facts = startFactsOrExit();
  const log = createLog(facts.config.logLevel);
  const refused = refusedSwitches.find((name) => app.commandLine.hasSwitch(name));
  if (app.isPackaged && refused !== undefined) exitWith(new Error(`--${refused} is not allowed. Start it without.`));
  // As root in development there is no other way; enableSandbox would take the switch away and no process could start.
  if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox();
  registerScheme();
  hardenEverything(log);
  app.setName('OAuth3');
  // The same as in build/packaging.ts: Windows shows notifications only of an app that it knows by this.
  app.setAppUserModelId('io.github.oauth3.openclaw');
  app.setPath('userData', join(facts.dataDir, 'electron'));
  if (!app.requestSingleInstanceLock()) {
    process.stdout.write('oauth3 is already running with this data folder; its window was opened\n');
    app.exit(0);
    return;
  }
  // The app lives in the tray: no window is no reason to quit.
  app.on('window-all-closed', () => undefined);
  void app.whenReady().then(() => run(facts, log));
}

async function run(facts: StartFacts, log: Log): Promise<void> {
  let desktop: Desktop | null = null;
  let windowWanted = false;
  const openWindow = (): void => {
    windowWanted = true;
    desktop?.openWindow();
  };
  app.on('second-instance', openWindow);
  app.on('activate', openWindow);
  const notifier = desktopNotifier(log);
  const broker = createBroker({
    config: facts.config,
    dataDir: facts.dataDir,
    cacheDir: facts.cacheDir,
    nativeBinding: facts.nativeBinding,
    ports: {
      version: app.getVersion(),
      log,
      clock: systemClock,
      keyProtectors: [electronKeyring()],
      sandboxLauncher: utilityChildLauncher(join(import.meta.dirname, 'quickjs-child.js')),
      notifier,
      openCard: (subject, id) => desktop?.openCard({ subject, id }),
    },
  });
  endInOrder(broker, log, () => desktop?.dispose());
  try {
    const { url } = await broker.start();
    // Agents need no window: they are told before one is made.
    process.stdout.write(readyText(broker.startLines(), url, process.pid, facts.dataDir));
    desktop = createDesktop({
      owner: broker.owner,
      desk: broker.desk,
      confirmBinding: broker.confirmBinding,
      events: broker.events,
      facts: broker.trayFacts,
      tell: async (title, body) => (await notifier.show({ title, body, ...asksNothing })) !== null,
      onFactsChanged: broker.onFactsChanged,
      dataDir: facts.dataDir,
      clock: systemClock,
      log,
    });
    powerMonitor.on('suspend', () => broker.goingToSleep());
    powerMonitor.on('resume', () => broker.resumedFromSleep());
    if (windowWanted || broker.needsOwner()) desktop.openWindow();
  } catch (error) {
    await broker.stop();
    exitWith(error);
  }
}

/** Quitting, SIGTERM and SIGINT all take the same way: the broker stops in order, then the desktop, then the process. */
function endInOrder(broker: Broker, log: Log, disposeDesktop: () => Promise<void> | undefined): void {
  let stopping = false;
  const stop = async (): Promise<void> => {
    await broker.stop();
    await disposeDesktop();
    app.exit(0);
  };
  // Before the windows are closed: what the broker still says on its way down must find them.
  app.on('before-quit', (event) => {
    event.preventDefault();
    if (stopping) return;
    stopping = true;
    void stop();
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => app.quit());
  endOnDefect(log, () => broker.stop());
}

function startFactsOrExit(): StartFacts {
  try {
    return readStartFacts(environmentWithFile(process.env));
  } catch (error) {
    return exitWith(error);
  }
}

function exitWith(error: unknown): never {
  const { line, exitCode } = explainStartFailure(error);
  process.stderr.write(`${line}\n`);
  app.exit(exitCode);
  process.exit(exitCode);
}

main();

import { join } from 'node:path';
import { app, powerMonitor } from 'electron';
import { type Broker, createBroker } from './broker.ts';
import { systemClock } from './core/systemClock.ts';
import { createDesktop, type Desktop } from './desktop/desktop.ts';
import { hardenAllContents } from './desktop/hardening.ts';
import { registerScheme } from './desktop/scheme.ts';
import { utilityChildLauncher } from './desktop/utilityChild.ts';
import { createLog } from './logging.ts';
import { desktopNotifier } from './notify/desktopNotifier.ts';
import { environmentWithFile, explainStartFailure, readStartFacts, readyLine, type StartFacts } from './startup.ts';
import { electronKeyring } from './vault/electronKeyring.ts';

/** The Electron shell: puts the broker, the desktop and the operating system together, and ends them in order. */
function main(): void {
  const facts = startFactsOrExit();
  const log = createLog(facts.config.logLevel);
  const unsandboxed = app.commandLine.hasSwitch('no-sandbox');
  if (app.isPackaged && unsandboxed) {
    exitWith(new Error('it was started with --no-sandbox; its windows would not be isolated. Start it without.'));
  }
  // As root in development there is no other way; enableSandbox would take the switch away and no process could start.
  if (!unsandboxed) app.enableSandbox();
  registerScheme();
  hardenAllContents(log);
  app.setName('OAuth3');
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

async function run(facts: StartFacts, log: ReturnType<typeof createLog>): Promise<void> {
  let desktop: Desktop | null = null;
  const broker = createBroker({
    config: facts.config,
    dataDir: facts.dataDir,
    nativeBinding: facts.nativeBinding,
    ports: {
      version: app.getVersion(),
      log,
      clock: systemClock,
      keyProtectors: [electronKeyring()],
      sandboxLauncher: utilityChildLauncher(join(import.meta.dirname, 'quickjs-child.js')),
      notifier: desktopNotifier(log),
      openCard: (subject, id) => desktop?.openCard({ subject, id }),
    },
  });
  endInOrder(broker, () => desktop);
  try {
    const { url } = await broker.start();
    desktop = createDesktop({
      owner: broker.owner,
      desk: broker.desk,
      confirmBinding: broker.confirmBinding,
      events: broker.events,
      facts: broker.trayFacts,
      onFactsChanged: broker.onFactsChanged,
      dataDir: facts.dataDir,
      clock: systemClock,
      log,
    });
    const shown = desktop;
    app.on('second-instance', () => shown.openWindow());
    powerMonitor.on('resume', () => broker.resumedFromSleep());
    process.stdout.write(`${readyLine(url, process.pid, facts.dataDir)}\n`);
    if (broker.needsOwner()) desktop.openWindow();
  } catch (error) {
    await broker.stop();
    exitWith(error);
  }
}

/** Quitting, SIGTERM and SIGINT all take the same way: the broker stops in order, then the desktop, then the process. */
function endInOrder(broker: Broker, desktop: () => Desktop | null): void {
  let stopped = false;
  const stop = async (): Promise<void> => {
    await broker.stop();
    stopped = true;
    desktop()?.dispose();
    app.exit(0);
  };
  app.on('will-quit', (event) => {
    if (stopped) return;
    event.preventDefault();
    void stop();
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => app.quit());
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

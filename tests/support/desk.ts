/**
 * A desk: what a person's session gives the app, made for one test file and taken away after it. An X server without a
 * screen, a session bus of its own, a window manager, a keyring that is unlocked, a notification daemon, and the
 * accessibility bus through which a test finds a button by its label. All of it runs as the test user.
 *
 * The bus activates nothing by itself, so what a test leaves out is really absent; the test may connect to it whoever it
 * runs as. HOME and XDG_* are set before the bus starts, because services inherit its environment.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type CommandResult, run } from '../../scripts/setup/command.ts';
import { testUser } from '../../scripts/setup/testUser.ts';
import { startVirtualDisplay, type VirtualDisplay } from '../../scripts/setup/virtualDisplay.ts';

const SERVICE_LIMIT_S = 15;

export type DeskParts = Readonly<{
  /** Secret Service (gnome-keyring), unlocked; without it safeStorage has only `basic_text`. Default true. */
  keyring?: boolean;
  /** Notification service with buttons (xfce4-notifyd). Default true. */
  notifications?: boolean;
}>;

/** On the screen, as xdotool takes it. */
type Place = readonly [x: string, y: string];

export type Desk = Readonly<{
  /** The test user's home folder: a temporary one. */
  home: string;
  env: Readonly<Record<string, string>>;
  hasKeyring: boolean;
  /** Runs a program at this desk as the test user. */
  run(program: string, args: readonly string[]): Promise<CommandResult>;
  /** Waits for the button of that label in the notification that says `about`; its middle on the screen. */
  notificationButton(about: string, label: string): Promise<Place>;
  /** Moves the mouse to that button and clicks it. An earlier notification may still be fading beside it. */
  clickNotificationButton(about: string, label: string): Promise<void>;
  /** Waits until no notification that says `about` has that button. */
  notificationGone(about: string, label: string): Promise<void>;
  /** Ends everything, the bus last: an app that loses its bus aborts, so close the app first. */
  close(): Promise<void>;
}>;

const busConfiguration = (socketFolder: string): string => `<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir=${socketFolder}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
</policy></busconfig>`;

const firstExisting = async (files: readonly string[]): Promise<string> => {
  for (const file of files) {
    const found = await access(file).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  throw new Error(`none of ${files.join(', ')} is installed`);
};

const xfceProgram = (name: string): Promise<string> =>
  firstExisting([`/usr/lib/x86_64-linux-gnu/xfce4/${name}`, `/usr/lib/aarch64-linux-gnu/xfce4/${name}`]);

class Session {
  readonly #children: ChildProcess[] = [];
  readonly env: Record<string, string>;

  constructor(env: Record<string, string>) {
    this.env = env;
  }

  start(program: string, args: readonly string[], stdin = ''): ChildProcess {
    const child = spawn(...testUser.as(program, args), { env: this.env, stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(stdin);
    // A full pipe would stop the program; only the bus says something that is wanted.
    child.stdout?.resume();
    this.#children.push(child);
    return child;
  }

  run(program: string, args: readonly string[]): Promise<CommandResult> {
    return run(...testUser.as(program, args), { env: this.env });
  }

  async offers(service: string): Promise<void> {
    const waited = await this.run('gdbus', ['wait', '--session', '--timeout', String(SERVICE_LIMIT_S), service]);
    if (waited.code !== 0) throw new Error(`${service} did not come up at the test desk: ${waited.stderr.trim()}`);
  }

  async end(): Promise<void> {
    for (const child of this.#children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), 3000);
      await gone;
      clearTimeout(patience);
    }
  }
}

const startBus = async (session: Session, home: string): Promise<void> => {
  const configuration = path.join(home, 'bus.conf');
  await writeFile(configuration, busConfiguration(path.join(home, 'run')));
  const bus = session.start('dbus-daemon', [`--config-file=${configuration}`, '--nofork', '--print-address=1']);
  if (!bus.stdout) throw new Error('the session bus has no output');
  const [address] = await once(createInterface({ input: bus.stdout }), 'line', {
    signal: AbortSignal.timeout(SERVICE_LIMIT_S * 1000),
  });
  session.env.DBUS_SESSION_BUS_ADDRESS = String(address);
};

const startKeyring = async (session: Session): Promise<void> => {
  session.env.XDG_CURRENT_DESKTOP = 'GNOME';
  // An empty password would open a prompt.
  session.start('gnome-keyring-daemon', ['--foreground', '--unlock', '--components=secrets'], 'test desk');
  await session.offers('org.freedesktop.secrets');
};

const startNotifications = async (session: Session): Promise<void> => {
  session.start(await xfceProgram('xfconf/xfconfd'), []);
  await session.offers('org.xfce.Xfconf');
  session.start('/usr/libexec/at-spi-bus-launcher', ['--launch-immediately']);
  await session.offers('org.a11y.Bus');
  session.start(await xfceProgram('notifyd/xfce4-notifyd'), []);
  await session.offers('org.freedesktop.Notifications');
};

const findButton = async (session: Session, ...what: string[]): Promise<string> => {
  // Handed over as text, because the checkout may lie where the test user cannot look.
  const script = path.join(import.meta.dirname, 'findButton.py');
  const text = await readFile(script, 'utf8');
  const found = await session.run('/usr/bin/python3', ['-c', text, 'xfce4-notifyd', ...what]);
  if (found.code !== 0) throw new Error(`notification button ${what.join(', ')}: ${found.stderr.trim()}`);
  return found.stdout.trim();
};

const notificationButton = async (session: Session, about: string, label: string): Promise<Place> => {
  const [x = '', y = ''] = (await findButton(session, about, label)).split(' ');
  return [x, y];
};

const clickNotificationButton = async (session: Session, about: string, label: string): Promise<void> => {
  const [x, y] = await notificationButton(session, about, label);
  const clicked = await session.run('xdotool', ['mousemove', '--sync', x, y, 'click', '1']);
  if (clicked.code !== 0) throw new Error(`the click failed: ${clicked.stderr.trim()}`);
};

const makeHome = async (): Promise<string> => {
  // Short and directly under /tmp: a Unix socket path may have 107 bytes.
  const home = await mkdtemp('/tmp/desk-');
  const folders = ['run', '.config', '.cache', '.local', '.local/share'].map((name) => path.join(home, name));
  for (const folder of folders) await mkdir(folder, { mode: 0o700 });
  for (const folder of [home, ...folders]) await testUser.own(folder);
  return home;
};

const environment = (home: string, display: VirtualDisplay): Record<string, string> => ({
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  LANG: 'C.UTF-8',
  HOME: home,
  XDG_CONFIG_HOME: path.join(home, '.config'),
  XDG_CACHE_HOME: path.join(home, '.cache'),
  XDG_DATA_HOME: path.join(home, '.local/share'),
  XDG_RUNTIME_DIR: path.join(home, 'run'),
  ...display.env,
});

/** Opens a desk. The caller closes it. */
export const openDesk = async (parts: DeskParts = {}): Promise<Desk> => {
  const { keyring = true, notifications = true } = parts;
  const home = await makeHome();
  const display = await startVirtualDisplay(false);
  const session = new Session(environment(home, display));
  const close = async (): Promise<void> => {
    await session.end();
    await display.stop();
    await rm(home, { recursive: true, force: true });
  };
  try {
    await testUser.own(path.dirname(display.env.XAUTHORITY));
    await testUser.own(display.env.XAUTHORITY);
    await startBus(session, home);
    session.start('openbox', []);
    if (keyring) await startKeyring(session);
    if (notifications) await startNotifications(session);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    home,
    env: session.env,
    hasKeyring: keyring,
    run: (program, args) => session.run(program, args),
    notificationButton: (about, label) => notificationButton(session, about, label),
    clickNotificationButton: (about, label) => clickNotificationButton(session, about, label),
    notificationGone: async (about, label) => void (await findButton(session, about, label, 'gone')),
    close,
  };
};

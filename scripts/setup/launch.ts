import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { isRoot, root, SetupError, say } from './checkout.ts';
import { run } from './command.ts';
import type { ElectronRuntime } from './electronRuntime.ts';
import { hasDisplay, startVirtualDisplay } from './virtualDisplay.ts';

/** What Chromium writes on every machine without a system bus, a graphics card or a session; FATAL lines stay. */
const chromiumNoise = [
  /^\[\d+:\d+\/[\d.]+:(ERROR|WARNING):(bus|object_proxy|viz_main_impl|gpu_\w+|gl_\w+|angle_platform_impl|command_buffer_proxy_impl|vaapi_\w+|sandbox_linux|ssl_client_socket_impl|network_service_instance_impl|browser_main_loop|wayland_\w+|ozone_\w+)\.cc/,
  /^(Gtk|Gdk|GLib|Gdk-Pixbuf|libnotify|dconf)-(Message|WARNING|CRITICAL)|^\(\S+:\d+\): (Gtk|Gdk|GLib|GLib-GObject|libnotify|dconf)-/,
  /^libva (info|error)|^MESA|^dbus-daemon\[/,
  /^\s*$/,
];

const forwardLines = (source: Readable | null, target: NodeJS.WriteStream, noise: readonly RegExp[]): void => {
  if (!source) return;
  createInterface({ input: source }).on('line', (line) => {
    if (!noise.some((pattern) => pattern.test(line))) target.write(`${line}\n`);
  });
};

/** Chromium's process sandbox needs user namespaces or a setuid helper; as root it refuses to start with it. */
const sandboxSwitches = async (runtime: ElectronRuntime): Promise<readonly string[]> => {
  if (process.platform !== 'linux') return [];
  if (isRoot) {
    say('Running as root: the window has no Chromium process sandbox (--no-sandbox).');
    return ['--no-sandbox', '--disable-gpu'];
  }
  const helper = `${runtime.directory}/chrome-sandbox`;
  const allowed = (await run('unshare', ['--user', '--map-root-user', 'true'])).code === 0;
  const setuid = (await run('find', [helper, '-perm', '-4000', '-user', 'root'])).stdout.trim() !== '';
  if (!allowed && !setuid) {
    throw new SetupError(
      'This system forbids user namespaces, so the Chromium sandbox needs its helper set up once: ' +
        `sudo chown root:root '${helper}' && sudo chmod 4755 '${helper}'`,
    );
  }
  return [];
};

export type AppProcess = Readonly<{
  child: ChildProcess;
  /** Settles when the app and the display made for it have ended: the app's exit code, 128 + n after signal n. */
  exited: Promise<number>;
}>;

/** Starts the built app, on a virtual display where there is none. Its output becomes ours, without Chromium's noise. */
export const launchApp = async (runtime: ElectronRuntime, args: readonly string[] = []): Promise<AppProcess> => {
  const switches = await sandboxSwitches(runtime);
  const display = hasDisplay() ? undefined : await startVirtualDisplay(true);
  if (display) say('No display here: using a virtual one.');
  const child = spawn(runtime.executable, [...switches, root, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own process group, so that a Ctrl-C in the terminal reaches it once, through us.
    detached: true,
    env: {
      ...process.env,
      ...display?.env,
      ...(runtime.sqliteBinding ? { OAUTH3_SQLITE_BINDING: runtime.sqliteBinding } : {}),
    },
  });
  forwardLines(child.stdout, process.stdout, []);
  forwardLines(child.stderr, process.stderr, chromiumNoise);
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', (error) => reject(new SetupError(`Electron did not start: ${error.message}`)));
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  }).finally(() => display?.stop());
  return { child, exited };
};

/** Passes what a terminal or a service manager tells us on to the app, which shuts down in order. */
export const forwardSignals = (child: ChildProcess): void => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal));
  }
};

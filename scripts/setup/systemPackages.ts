import { access } from 'node:fs/promises';
import { isRoot, SetupError, say } from './checkout.ts';
import { run, which } from './command.ts';

/**
 * What has to be there, how to see that it is, and the Debian package that brings it. Newer Debian and Ubuntu renamed
 * some libraries (`t64`): the first name that apt knows is taken.
 */
type Need = Readonly<
  { library: string; packages: readonly string[] } | { program: string; packages: readonly string[] }
>;

const APT_LIMIT_MS = 20 * 60_000;

/** Where programs stand that Debian keeps out of PATH. */
const offPath: Readonly<Record<string, readonly string[]>> = {
  'xfce4-notifyd': ['/usr/lib/x86_64-linux-gnu/xfce4/notifyd/xfce4-notifyd', '/usr/lib/xfce4/notifyd/xfce4-notifyd'],
  'at-spi-bus-launcher': ['/usr/libexec/at-spi-bus-launcher'],
  dockerd: ['/usr/sbin/dockerd'],
  iptables: ['/usr/sbin/iptables', '/sbin/iptables'],
  pyatspi: ['/usr/lib/python3/dist-packages/pyatspi/__init__.py'],
};

/** Libraries that Electron opens by name while it runs; the linked ones are found by asking its binary. */
const openedLibraries: readonly Need[] = [{ library: 'libsecret-1.so.0', packages: ['libsecret-1-0'] }];

const linkedLibraryPackages: Readonly<Record<string, readonly string[]>> = {
  'libgtk-3.so.0': ['libgtk-3-0t64', 'libgtk-3-0'],
  'libnss3.so': ['libnss3'],
  'libnssutil3.so': ['libnss3'],
  'libsmime3.so': ['libnss3'],
  'libnspr4.so': ['libnspr4'],
  'libgbm.so.1': ['libgbm1'],
  'libasound.so.2': ['libasound2t64', 'libasound2'],
  'libatk-1.0.so.0': ['libatk1.0-0t64', 'libatk1.0-0'],
  'libatk-bridge-2.0.so.0': ['libatk-bridge2.0-0t64', 'libatk-bridge2.0-0'],
  'libatspi.so.0': ['libatspi2.0-0t64', 'libatspi2.0-0'],
  'libcups.so.2': ['libcups2t64', 'libcups2'],
  'libdbus-1.so.3': ['libdbus-1-3'],
  'libdrm.so.2': ['libdrm2'],
  'libexpat.so.1': ['libexpat1'],
  'libglib-2.0.so.0': ['libglib2.0-0t64', 'libglib2.0-0'],
  'libgobject-2.0.so.0': ['libglib2.0-0t64', 'libglib2.0-0'],
  'libgio-2.0.so.0': ['libglib2.0-0t64', 'libglib2.0-0'],
  'libpango-1.0.so.0': ['libpango-1.0-0'],
  'libcairo.so.2': ['libcairo2'],
  'libX11.so.6': ['libx11-6'],
  'libXcomposite.so.1': ['libxcomposite1'],
  'libXdamage.so.1': ['libxdamage1'],
  'libXext.so.6': ['libxext6'],
  'libXfixes.so.3': ['libxfixes3'],
  'libXrandr.so.2': ['libxrandr2'],
  'libxcb.so.1': ['libxcb1'],
  'libxkbcommon.so.0': ['libxkbcommon0'],
  'libudev.so.1': ['libudev1'],
};

const display: readonly Need[] = [{ program: 'Xvfb', packages: ['xvfb'] }];

const buildTools: readonly Need[] = [
  { program: 'python3', packages: ['python3'] },
  { program: 'make', packages: ['make'] },
  { program: 'g++', packages: ['g++'] },
];

/** A desktop for the end-to-end tests: bus, keyring, notifications, window manager, and hands to click with. */
const testDesktop: readonly Need[] = [
  { program: 'Xvfb', packages: ['xvfb'] },
  { program: 'dbus-daemon', packages: ['dbus', 'dbus-daemon'] },
  { program: 'gdbus', packages: ['libglib2.0-bin'] },
  { program: 'gnome-keyring-daemon', packages: ['gnome-keyring'] },
  { program: 'xfce4-notifyd', packages: ['xfce4-notifyd'] },
  { program: 'openbox', packages: ['openbox'] },
  { program: 'xdotool', packages: ['xdotool'] },
  { program: 'import', packages: ['imagemagick'] },
  { program: 'at-spi-bus-launcher', packages: ['at-spi2-core'] },
  { program: 'pyatspi', packages: ['python3-pyatspi'] },
  { program: 'setpriv', packages: ['util-linux'] },
];

/** Two lists, because gVisor is not in every archive, and containers run without it. */
const containerEngine: readonly Need[] = [
  { program: 'dockerd', packages: ['docker.io'] },
  { program: 'iptables', packages: ['iptables'] },
];
const controlGroupMounter: Need = { program: 'cgroupfs-mount', packages: ['cgroupfs-mount'] };
const gvisor: readonly Need[] = [{ program: 'runsc', packages: ['runsc'] }];

const linkedNeeds = async (executable: string): Promise<readonly Need[]> => {
  const linked = await run('ldd', [executable]);
  return [...linked.stdout.matchAll(/^\s*(\S+) => not found/gm)].map(([, library = '']) => ({
    library,
    packages: linkedLibraryPackages[library] ?? [],
  }));
};

const isMet = async (need: Need, knownLibraries: string): Promise<boolean> => {
  if ('library' in need) return knownLibraries.includes(`${need.library} `);
  if (await which(need.program)) return true;
  const elsewhere = (offPath[need.program] ?? []).map((file) =>
    access(file).then(
      () => true,
      () => false,
    ),
  );
  return (await Promise.all(elsewhere)).includes(true);
};

const unmet = async (needs: readonly Need[]): Promise<readonly Need[]> => {
  const ldconfig = (await which('ldconfig')) ?? '/sbin/ldconfig';
  const known = needs.some((need) => 'library' in need) ? (await run(ldconfig, ['-p'])).stdout : '';
  const met = await Promise.all(needs.map((need) => isMet(need, known)));
  return needs.filter((_, index) => !met[index]);
};

const knownToApt = async (candidates: readonly string[]): Promise<string | undefined> => {
  for (const name of candidates) {
    if ((await run('apt-cache', ['show', '--no-all-versions', name])).code === 0) return name;
  }
  return candidates.at(-1);
};

const nameOf = (need: Need): string => ('library' in need ? need.library : need.program);

/** Installs what is missing when we may, else says how. Throws SetupError when something stays missing. */
const ensure = async (needs: readonly Need[], forWhat: string): Promise<void> => {
  if (process.platform !== 'linux') return;
  const missing = await unmet(needs);
  if (missing.length === 0) return;
  const things = missing.map(nameOf).join(', ');
  if (!(await which('apt-get'))) {
    throw new SetupError(`${forWhat} needs ${things}: install them with this system's package manager.`);
  }
  if (isRoot) await run('apt-get', ['update', '-qq'], { timeoutMs: APT_LIMIT_MS });
  const names = await Promise.all(missing.map((need) => knownToApt(need.packages)));
  const packages = [...new Set(names.filter((name) => name !== undefined))].sort();
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (!isRoot) throw new SetupError(`${forWhat} needs ${things}. Run: sudo ${command}`);
  say(`Installing what ${forWhat} needs: ${packages.join(' ')}`);
  const installed = await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeoutMs: APT_LIMIT_MS,
  });
  const still = await unmet(missing);
  if (still.length > 0) {
    throw new SetupError(
      `${forWhat} needs ${still.map(nameOf).join(', ')}, and apt could not bring it: ${installed.stderr.trim()}`,
    );
  }
};

/** What the app itself needs; with `virtualDisplay` also an X server for a machine without a screen. */
export const ensureAppPackages = async (executable: string, virtualDisplay: boolean): Promise<void> =>
  ensure([...(await linkedNeeds(executable)), ...openedLibraries, ...(virtualDisplay ? display : [])], 'the app');

/** A compiler, wanted only where the database binding has to be built. */
export const ensureBuildTools = (): Promise<void> => ensure(buildTools, 'the database binding');

export const ensureTestPackages = (): Promise<void> => ensure(testDesktop, 'the test run');

/** A container engine; `controlGroups` also brings what mounts the control groups of a machine without an init system. */
export const ensureEnginePackages = (controlGroups: boolean): Promise<void> =>
  ensure([...containerEngine, ...(controlGroups ? [controlGroupMounter] : [])], 'the container sandbox');

export const ensureGvisorPackage = (): Promise<void> => ensure(gvisor, 'the gVisor sandbox');

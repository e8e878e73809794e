/**
 * The layer rule as a table. A room is a folder and lists what it may import besides itself; an entry with a file name
 * allows that one file: a port belongs to its consumer, and its adapters see it.
 */
const floor = ['contract', 'main/core', 'main/net'];

const capabilities = [
  'main/store',
  'main/vault',
  'main/bridge',
  'main/requests',
  'main/owner',
  'main/approvals',
  'main/runs',
  'main/backends',
  'main/egress',
  'main/llm',
  'main/skills',
  'main/telegram',
  'main/notify',
  'main/wake',
  'main/control',
  'main/desktop',
] as const;

/** Ports of other rooms that a capability fits, each one file. */
const portsSeen: Readonly<Partial<Record<(typeof capabilities)[number], readonly string[]>>> = {
  // The profile is data: the text that goes to the engine with each container.
  'main/backends': ['main/runs/backend.ts', 'main/runs/testDoor.ts', 'sandbox/seccomp/profile.json'],
  'main/requests': ['main/approvals/channel.ts'],
  'main/telegram': ['main/approvals/channel.ts'],
  'main/notify': ['main/approvals/channel.ts'],
  'main/desktop': ['main/approvals/channel.ts', 'main/backends/embedded/childLauncher.ts'],
};

/** The files directly in main/ put everything together: they know everybody, and nobody knows them. */
const wiring = 'main';

export const rooms: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  'main/core': ['contract'],
  'main/net': ['contract', 'main/core'],
  ...Object.fromEntries(capabilities.map((room) => [room, [...floor, ...(portsSeen[room] ?? [])]])),
  [wiring]: [...floor, ...capabilities],
  preload: ['contract'],
  renderer: ['contract'],
  cli: ['contract'],
  sandbox: ['contract'],
};

/** Electron is for the shell, the windows, the preloads and the adapters that are named after it. */
export const mayImportElectron = (file: string): boolean =>
  file === 'main/index.ts' ||
  file.startsWith('main/desktop/') ||
  file.startsWith('preload/') ||
  /^main\/(vault|notify)\/(electron|desktop)[A-Z]\w*\.ts$/.test(file);

/** The room a file is in, or undefined: then the table has to say first where it belongs. */
export const roomOf = (file: string): string | undefined => {
  if (/^main\/[^/]+$/.test(file)) return wiring;
  return Object.keys(rooms).find((room) => room !== wiring && file.startsWith(`${room}/`));
};

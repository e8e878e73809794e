import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SetupError } from './checkout.ts';

const START_LIMIT_MS = 15_000;
const FAMILY_ANY = 0xffff;

export type VirtualDisplay = Readonly<{
  env: Readonly<{ DISPLAY: string; XAUTHORITY: string }>;
  stop(): Promise<void>;
}>;

export const hasDisplay = (): boolean =>
  process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);

const counted = (data: Buffer): Buffer => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(data.length);
  return Buffer.concat([length, data]);
};

/** One Xauthority record (libXau's format) for any address and display: without it every local user could look in. */
const authority = (cookie: Buffer): Buffer => {
  const family = Buffer.alloc(2);
  family.writeUInt16BE(FAMILY_ANY);
  const empty = Buffer.alloc(0);
  return Buffer.concat([family, ...[empty, empty, Buffer.from('MIT-MAGIC-COOKIE-1'), cookie].map(counted)]);
};

const displayNumber = async (server: ChildProcess): Promise<string> => {
  const answer = server.stdio[3];
  if (!answer || !('setEncoding' in answer)) throw new SetupError('Xvfb has no pipe to answer on.');
  const text = await Promise.race([
    once(answer, 'data', { signal: AbortSignal.timeout(START_LIMIT_MS) }).then(([data]) => String(data)),
    once(server, 'exit').then(() => ''),
  ]);
  const number = text.trim();
  if (!/^\d+$/.test(number)) throw new SetupError('The virtual display (Xvfb) did not start.');
  return number;
};

/**
 * Starts an X server without a screen on a free display number. `stop` ends it; with `endWithLastClient` it also ends
 * by itself when the last window system client goes, so that a killed launcher leaves nothing behind.
 */
export const startVirtualDisplay = async (endWithLastClient: boolean): Promise<VirtualDisplay> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'oauth3-display-'));
  const XAUTHORITY = path.join(folder, 'authority');
  await writeFile(XAUTHORITY, authority(randomBytes(16)), { mode: 0o600 });
  const args = ['-displayfd', '3', '-screen', '0', '1280x800x24', '-nolisten', 'tcp', '-auth', XAUTHORITY];
  const server = spawn('Xvfb', endWithLastClient ? [...args, '-terminate'] : args, {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    // Its own process group: a Ctrl-C in the terminal must reach the app first and the display last.
    detached: true,
  });
  const ended = new Promise<void>((resolve) => {
    server.once('exit', () => resolve());
    server.once('error', () => resolve());
  });
  const stop = async (): Promise<void> => {
    server.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const number = await displayNumber(server);
    return { env: { DISPLAY: `:${number}`, XAUTHORITY }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

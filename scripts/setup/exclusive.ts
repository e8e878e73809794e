import { createHash } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const RETRY_MS = 200;

/**
 * The lock is a listening socket, because the kernel takes it back when its owner dies: no stale lock file can stop
 * the next start. Linux has names that live outside the file system, Windows has pipes; elsewhere it is a socket file.
 */
const lockName = (subject: string): string => {
  const hash = createHash('sha256').update(`${userInfo().uid}\0${subject}`).digest('hex').slice(0, 32);
  if (process.platform === 'linux') return `\0oauth3-lock-${hash}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\oauth3-lock-${hash}`;
  return path.join(tmpdir(), `oauth3-lock-${hash}`);
};

const listen = (name: string): Promise<net.Server | undefined> =>
  new Promise((resolve, reject) => {
    const server = net.createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(name, () => resolve(server));
  });

const answers = (name: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(name);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/** Runs `body` while no other process of this user does so for the same subject; waits for its turn. */
export const exclusively = async <Result>(subject: string, body: () => Promise<Result>): Promise<Result> => {
  const name = lockName(subject);
  let server = await listen(name);
  while (!server) {
    if (name.startsWith(tmpdir()) && !(await answers(name))) await unlink(name).catch(() => undefined);
    else await delay(RETRY_MS);
    server = await listen(name);
  }
  try {
    return await body();
  } finally {
    server.close();
  }
};

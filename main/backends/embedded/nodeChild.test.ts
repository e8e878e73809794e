import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { NodeChildLauncher } from './nodeChild.ts';

const folder = mkdtempSync(join(tmpdir(), 'oauth3-child-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Says that it is there, as a frame. */
const ready = "process.stdout.write(Buffer.from('\\0\\0\\0\\x02\\0\\0\\0\\0{}'));";

it('ends a process that does not read what it is sent, and keeps one that does', async () => {
  const path = join(folder, 'child.cjs');
  const chunk = new Uint8Array(256 * 1024);
  const sendAll = async (program: string): Promise<string | null> => {
    writeFileSync(path, `${ready}${program}`);
    const child = new NodeChildLauncher(path).launch();
    let ended: string | null = null;
    const end = new Promise<void>((resolve) => {
      child.onExit((reason) => {
        ended = reason;
        resolve();
      });
    });
    await new Promise<void>((resolve) => child.onMessage(() => resolve()));
    // 64 MiB: twice of what may stay unread. A pause after each MiB lets a listening process keep up.
    for (let sent = 0; sent < 256 && ended === null; sent += 1) {
      child.send({ type: 'chunk', id: 1, bytes: chunk });
      if (sent % 4 === 3) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const reason = ended;
    child.kill();
    await end;
    return reason;
  };
  expect(await sendAll('setInterval(() => {}, 1000);')).toBe('SIGKILL');
  expect(await sendAll("process.stdin.on('data', () => {});")).toBeNull();
});

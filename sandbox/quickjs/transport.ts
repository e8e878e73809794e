import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { encodeFrame, FrameDecoder } from '../../contract/sandboxFrames.ts';
import type { ChildMessage, HostMessage } from '../../contract/sandboxMessages.ts';

/** How the child and its host talk. */
export type Transport = Readonly<{
  send(message: ChildMessage): void;
  listen(onMessage: (message: HostMessage) => void): void;
}>;

/** Electron's end of a utility process: https://www.electronjs.org/docs/latest/api/parent-port */
type ParentPort = {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { data: HostMessage }) => void): void;
};

/** The pipe of which we only wait for the end. It carries nothing. */
const tetherFd = 3;

/**
 * Ends this process when the host is gone, also while the guest keeps the main thread busy: a thread of its own waits
 * for the end of the tether. (In a utility process Chromium does the same.)
 */
const tether = `
const { readSync } = require('node:fs');
const byte = Buffer.alloc(1);
for (;;) {
  try {
    if (readSync(${tetherFd}, byte) === 0) break;
  } catch (error) {
    if (error.code !== 'EAGAIN') break;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
}
process.kill(process.pid, 'SIGKILL');
`;

/** Messages through Electron's port when there is one, else frames on stdin and stdout. */
export function openTransport(): Transport {
  const port: unknown = Reflect.get(process, 'parentPort');
  return isParentPort(port) ? portTransport(port) : pipeTransport();
}

function isParentPort(value: unknown): value is ParentPort {
  return typeof value === 'object' && value !== null && 'postMessage' in value && 'on' in value;
}

function portTransport(port: ParentPort): Transport {
  return {
    send: (message) => port.postMessage(message),
    listen: (onMessage) => port.on('message', (event) => onMessage(event.data)),
  };
}

function pipeTransport(): Transport {
  new Worker(tether, { eval: true, env: {} });
  return {
    send: (message) => writeAll(encodeFrame(message)),
    listen(onMessage) {
      const decoder = new FrameDecoder();
      // The frames are the host's own: types, not a schema, say what they are.
      const take = (message: unknown) => onMessage(message as HostMessage);
      process.stdin.on('data', (chunk: Buffer) => decoder.push(chunk, take));
    },
  };
}

/** Blocks until the pipe has taken everything: this is what makes a program that prints too fast wait for the host. */
function writeAll(frame: Uint8Array): void {
  let at = 0;
  while (at < frame.byteLength) {
    try {
      at += writeSync(1, frame, at);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

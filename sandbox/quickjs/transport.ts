import { writeSync } from 'node:fs';
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

/**
 * Messages through Electron's port when there is one, else frames on stdin and stdout. `onHostGone` is called when the
 * pipe from the host ends; Chromium ends a utility process by itself.
 */
export function openTransport(onHostGone: () => void): Transport {
  const port: unknown = Reflect.get(process, 'parentPort');
  return isParentPort(port) ? portTransport(port) : pipeTransport(onHostGone);
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

function pipeTransport(onHostGone: () => void): Transport {
  return {
    send: (message) => writeAll(encodeFrame(message)),
    listen(onMessage) {
      const decoder = new FrameDecoder();
      // The frames are the host's own: types, not a schema, say what they are.
      const take = (message: unknown) => onMessage(message as HostMessage);
      process.stdin.on('data', (chunk: Buffer) => decoder.push(chunk, take));
      process.stdin.on('end', onHostGone);
      process.stdin.on('error', onHostGone);
    },
  };
}

/** Blocks until the pipe has taken everything: nothing piles up here, however slow the host reads. */
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

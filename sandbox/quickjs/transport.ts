import { encodeFrame, FrameDecoder } from '../../contract/sandboxFrames.ts';
import type { ChildMessage, HostMessage } from '../../contract/sandboxMessages.ts';
import { writeAll } from './writeAll.ts';

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
    send: (message) => writeAll(1, encodeFrame(message)),
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

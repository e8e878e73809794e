import { sandboxLimits } from './sandboxLimits.ts';

/**
 * Messages of the embedded sandbox on a pipe: length of the JSON, length of the bytes (both 32 bit, big endian), the
 * JSON, the bytes. Own framing instead of Node's IPC channel, because that one buffers whatever length the other side
 * announces, and because a pipe blocks a child that prints faster than the host reads.
 */
const headBytes = 8;

/** A frame that is too large or is no JSON object. The other side is broken or hostile: stop listening to it. */
export class FrameError extends Error {
  readonly code = 'malformed_frame';
}

/** One message as a frame; its `bytes` field, if any, travels beside the JSON. */
export function encodeFrame(message: object): Uint8Array {
  const { bytes, ...rest }: { bytes?: unknown } = message;
  const payload = bytes instanceof Uint8Array ? bytes : new Uint8Array(0);
  const json = new TextEncoder().encode(JSON.stringify(rest));
  const frame = new Uint8Array(headBytes + json.byteLength + payload.byteLength);
  const view = new DataView(frame.buffer);
  view.setUint32(0, json.byteLength);
  view.setUint32(4, payload.byteLength);
  frame.set(json, headBytes);
  frame.set(payload, headBytes + json.byteLength);
  return frame;
}

/** Puts frames together again, holding at most one. The messages are unchecked: validate them. */
export class FrameDecoder {
  #rest: Uint8Array = new Uint8Array(0);

  /** Calls `onMessage` for each complete frame. Throws `FrameError`; nothing may be pushed after that. */
  push(chunk: Uint8Array, onMessage: (message: unknown) => void): void {
    const data = this.#rest.byteLength === 0 ? chunk : joined(this.#rest, chunk);
    let offset = 0;
    while (data.byteLength - offset >= headBytes) {
      const view = new DataView(data.buffer, data.byteOffset + offset, headBytes);
      const jsonLength = view.getUint32(0);
      const bytesLength = view.getUint32(4);
      const length = headBytes + jsonLength + bytesLength;
      if (length > sandboxLimits.frameBytes) throw new FrameError(`a frame of ${length} bytes`);
      if (data.byteLength - offset < length) break;
      const jsonEnd = offset + headBytes + jsonLength;
      const message = parsed(data.subarray(offset + headBytes, jsonEnd));
      onMessage(bytesLength > 0 ? { ...message, bytes: copied(data, jsonEnd, jsonEnd + bytesLength) } : message);
      offset += length;
    }
    this.#rest = copied(data, offset, data.byteLength);
  }
}

/** A copy of its own: `slice` of a Node Buffer is a view, and would keep or change with the buffer it was read into. */
function copied(data: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(data.subarray(start, end));
}

function parsed(json: Uint8Array): object {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch {
    throw new FrameError('a frame that is no JSON');
  }
  if (typeof value !== 'object' || value === null) throw new FrameError('a frame that is no JSON object');
  return value;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.byteLength + second.byteLength);
  all.set(first);
  all.set(second, first.byteLength);
  return all;
}

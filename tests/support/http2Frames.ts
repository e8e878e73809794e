/** Frames of HTTP/2 (RFC 9113, section 4.1), so that a target can say what no client would. */
export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const;

export const frameFlags = { endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

export const clientPreface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export function http2Frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array,
  length = payload.length,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length & 0xffffff, 0, 3);
  head.writeUInt8(type & 0xff, 3);
  head.writeUInt8(flags & 0xff, 4);
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, payload]);
}

/** One header as HPACK writes it without any table (RFC 7541, section 6.2.2); texts of at most 126 bytes. */
function literalHeader(name: string, value: string): Buffer {
  return Buffer.concat([
    Uint8Array.of(0, name.length),
    Buffer.from(name, 'latin1'),
    Uint8Array.of(value.length),
    Buffer.from(value, 'latin1'),
  ]);
}

export const headerBlock = (headers: readonly (readonly [name: string, value: string])[]): Buffer =>
  Buffer.concat(headers.map(([name, value]) => literalHeader(name.slice(0, 126), value.slice(0, 126))));

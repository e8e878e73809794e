import { STATUS_CODES } from 'node:http';
import type { DoorResponse, HeaderPair } from '../../core/door.ts';
import type { OwnRefusal } from './ownRefusal.ts';

/** A whole answer as bytes, for places where no HTTP server stands yet or any more. It is the last one. */
function closingAnswer(status: number, headers: readonly (readonly [string, string])[], body: Uint8Array): Uint8Array {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    `content-length: ${body.length}`,
    'connection: close',
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

/** The head after which the connection carries something else than HTTP. */
export function switchingBytes(headers: readonly HeaderPair[]): Uint8Array {
  const lines = ['HTTP/1.1 101 Switching Protocols', ...headers.map(([name, value]) => `${name}: ${value}`)];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** An answer of the front end itself, in the shape of those of the session. */
export function ownAnswer({ status, code, hint }: OwnRefusal): Uint8Array {
  const body = new TextEncoder().encode(JSON.stringify({ error: code, hint }));
  return closingAnswer(status, [['content-type', 'application/json']], body);
}

/** A refusal of the session, which is short. */
export async function refusalBytes({ status, headers, body }: DoorResponse): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const own = headers.filter(([name]) => name.toLowerCase() !== 'content-length');
  return closingAnswer(status, own, Buffer.concat(chunks));
}

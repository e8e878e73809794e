import type { EarlyRefusal } from '../../core/door.ts';

/** What the front end refuses by itself; status 0 where the connection is cut without an answer. */
export type OwnRefusal = Readonly<{ code: EarlyRefusal['code']; status: number; hint: string }>;

const refusal = (code: EarlyRefusal['code'], status: number, hint: string): OwnRefusal => ({ code, status, hint });

export const notHttp = refusal('request_invalid', 400, 'This is not HTTP/1.1 as RFC 9112 writes it.');
export const noHost = refusal('request_invalid', 400, 'A request has a Host header.');
export const headTooLarge = refusal('headers_too_large', 431, 'Send fewer or shorter headers.');
export const oldVersion = refusal('http_version', 505, 'Use HTTP/1.1.');
export const packedForTheWay = refusal('transfer_coding', 501, 'Send the body as it is or in chunks.');
export const tooManyConnections = refusal('busy', 503, 'Too many connections are open at once; use fewer.');
export const tooManyWaiting = refusal('busy', 429, 'Wait for answers before sending more requests on one connection.');
export const tooSlow = refusal('too_slow', 0, '');
export const notItsTurn = refusal('busy', 0, '');
export const notTls = refusal('tls_refused', 0, '');

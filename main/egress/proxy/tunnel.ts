import type { Duplex } from 'node:stream';
import { type SecureContext, TLSSocket } from 'node:tls';
import { canonicalHost } from '../../core/host.ts';

/** What the client speaks in its tunnel: `other` is what we do not carry (ATTACKS B51), null nothing at all. */
export type TunnelSpeech = 'tls' | 'http' | 'other' | null;

/** RFC 8446, section 5.1: content type of the record that a ClientHello comes in. */
const tlsHandshake = 0x16;

function speechOf(firstByte: number | undefined): TunnelSpeech {
  if (firstByte === tlsHandshake) return 'tls';
  // Every HTTP method that we know begins with a capital letter.
  return firstByte !== undefined && firstByte >= 0x41 && firstByte <= 0x5a ? 'http' : 'other';
}

/** Looks at the first byte and puts it back. Null when the client leaves without one. */
export function listenFirst(stream: Duplex): Promise<TunnelSpeech> {
  return new Promise((resolve) => {
    const settle = (speech: TunnelSpeech): void => {
      stream.off('readable', look).off('end', leave).off('close', leave);
      resolve(speech);
    };
    const leave = (): void => settle(null);
    const look = (): void => {
      const chunk: unknown = stream.read();
      if (!(chunk instanceof Uint8Array)) return;
      stream.unshift(chunk);
      settle(speechOf(chunk[0]));
    };
    stream.on('readable', look).on('end', leave).on('close', leave);
    if (stream.destroyed) leave();
  });
}

class WrongNameError extends Error {
  readonly code = 'tls_wrong_name';
}

/** Handshakes that ended well: what breaks afterwards is a client that leaves, in whatever way. */
const established = new WeakSet<Duplex>();

/** OpenSSL's names for what it refuses as we told it to; all others also come of clients that merely leave. */
const ourSslRefusals: ReadonlySet<string> = new Set([
  'ERR_SSL_NO_APPLICATION_PROTOCOL',
  'ERR_SSL_UNSUPPORTED_PROTOCOL',
]);

/** True for a client that we refuse, as opposed to one that leaves or refuses us (its alert). */
export function isTlsRefusal(error: Error, stream: Duplex): boolean {
  if (established.has(stream)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return error instanceof WrongNameError || ourSslRefusals.has(code);
}

function isSameHost(name: string, host: string): boolean {
  try {
    return canonicalHost(name) === host;
  } catch {
    return false;
  }
}

/**
 * The server end of TLS on a stream of the sandbox, for exactly one host. A client that names another one (SNI), or
 * speaks no HTTP/1.1, fails in the handshake; one that names none means the host of its tunnel (ATTACKS B31, C55, C56).
 */
export function secure(stream: Duplex, host: string, secureContext: SecureContext): TLSSocket {
  const secured = new TLSSocket(stream, {
    isServer: true,
    secureContext,
    ALPNProtocols: ['http/1.1'],
    SNICallback: (name, done) => {
      if (isSameHost(name, host)) done(null, secureContext);
      else done(new WrongNameError('SNI is not the host of the tunnel'));
    },
  });
  // Node's --tls-keylog (reachable through NODE_OPTIONS) hangs a listener on every socket that writes its keys to a file.
  secured.removeAllListeners('keylog');
  secured.disableRenegotiation();
  secured.once('secure', () => established.add(secured));
  secured.on('error', () => {});
  secured.once('close', () => stream.destroy());
  stream.once('close', () => secured.destroy());
  return secured;
}

import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type SecureContext } from 'node:tls';
import { sameAddress } from './address.ts';
import type { DialTarget } from './resolve.ts';
import type { TlsSessions } from './tlsSessions.ts';
import { abortReason, errorCodeOf, UpstreamError } from './upstreamError.ts';

export type DialOptions = Readonly<{
  /** Canonical host: the name that the certificate must carry. */
  host: string;
  target: DialTarget;
  /** Null for plain HTTP. */
  trust: SecureContext | null;
  /** Sessions to resume from and to keep new ones in. They must have been verified with the same `trust`. */
  sessions?: TlsSessions;
  /** Ends the attempt; its reason is an UpstreamError. */
  signal: AbortSignal;
}>;

// One dead address among several must not eat the whole connect time.
const attemptTimeoutMs = 3_000;
const maxAttempts = 4;

/** Resolves on `event`, rejects on error, close or abort; a rejected socket is destroyed. */
function whenReady(socket: Socket, event: 'connect' | 'secureConnect', signal: AbortSignal, limitMs?: number) {
  return new Promise<void>((resolve, reject) => {
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off(event, onReady).off('error', settle).off('close', onClose);
      if (error === undefined) {
        resolve();
      } else {
        socket.on('error', () => {});
        socket.destroy();
        reject(error);
      }
    };
    const onReady = (): void => settle();
    const onClose = (): void => settle(new Error('closed'));
    const onAbort = (): void => settle(abortReason(signal));
    const timer = limitMs === undefined ? undefined : setTimeout(() => settle(new Error('no answer in time')), limitMs);
    socket.once(event, onReady).once('error', settle).once('close', onClose);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

/** Connects to the literal address and makes sure that this is who answered (ATTACKS D71, D78). */
async function connectPinned(address: string, port: number, signal: AbortSignal, limitMs?: number): Promise<Socket> {
  const socket = connectTcp({ host: address, port, autoSelectFamily: false, noDelay: true });
  await whenReady(socket, 'connect', signal, limitMs);
  if (!sameAddress(socket.remoteAddress ?? '', address)) {
    socket.destroy();
    throw new UpstreamError('upstream_unreachable', 'Another address answered than the one that was checked');
  }
  return socket;
}

async function connectAny({ host, target, signal }: DialOptions): Promise<Socket> {
  const addresses = target.addresses.slice(0, maxAttempts);
  let last: unknown = new Error('no address');
  for (const [index, address] of addresses.entries()) {
    try {
      return await connectPinned(
        address,
        target.port,
        signal,
        index + 1 < addresses.length ? attemptTimeoutMs : undefined,
      );
    } catch (error) {
      if (signal.aborted || error instanceof UpstreamError) throw error;
      last = error;
    }
  }
  throw new UpstreamError('upstream_unreachable', `Cannot connect to ${host} (${errorCodeOf(last)})`);
}

type Secured = Omit<DialOptions, 'trust'> & Readonly<{ trust: SecureContext }>;

async function secure(socket: Socket, { host, target, trust, sessions, signal }: Secured): Promise<Socket> {
  const peer = { host, port: target.port, address: socket.remoteAddress ?? '' };
  const session = sessions?.find(peer);
  const identity = host.replace(/^\[|\]$/g, '');
  const secured = connectTls({
    socket,
    secureContext: trust,
    ...(session === undefined ? {} : { session }),
    // RFC 6066: an address is never sent as SNI.
    servername: isIP(identity) === 0 ? identity : '',
    ALPNProtocols: ['http/1.1'],
    // Said aloud, because the default is whatever NODE_TLS_REJECT_UNAUTHORIZED says (ATTACKS C59).
    rejectUnauthorized: true,
    checkServerIdentity: (_servername, certificate) => checkServerIdentity(identity, certificate),
  });
  // Node's --tls-keylog (reachable through NODE_OPTIONS) hangs a listener on every socket that writes its keys to a file.
  secured.removeAllListeners('keylog');
  // Node tells of a session only after it verified the peer; `authorized` says so again, since resuming skips the name.
  secured.on('session', (fresh) => {
    if (secured.authorized) sessions?.keep(peer, fresh);
  });
  try {
    await whenReady(secured, 'secureConnect', signal);
  } catch (error) {
    socket.destroy();
    if (error instanceof UpstreamError) throw error;
    throw new UpstreamError('upstream_tls', `No trustworthy TLS connection to ${host} (${errorCodeOf(error)})`);
  }
  return secured;
}

/**
 * Connects to one of the checked addresses and, with `trust`, verifies the certificate against the host's name.
 * The socket belongs to the caller and to one exchange. Throws UpstreamError.
 */
export async function dial(options: DialOptions): Promise<Socket> {
  if (options.signal.aborted) throw abortReason(options.signal);
  const socket = await connectAny(options);
  const { trust } = options;
  return trust === null ? socket : secure(socket, { ...options, trust });
}

/** Whom a TLS session was verified for. */
export type TlsPeer = Readonly<{ host: string; port: number; address: string }>;

// A run talks to a handful of hosts; a server that sends tickets without end must not fill memory.
const maxSessions = 32;

const keyOf = ({ host, port, address }: TlsPeer): string => JSON.stringify([host, port, address]);

/**
 * TLS sessions of one run, so that its next connection to the same peer is a short handshake. Node does not check the
 * certificate's name on a resumed connection: a session counts only for exactly the peer that it was verified for.
 * Never shared between runs, or a server could tell that two of them are of one owner (ATTACKS B43).
 */
export class TlsSessions {
  readonly #sessions = new Map<string, Buffer>();
  #closed = false;

  /** The newest session with this peer. */
  find(peer: TlsPeer): Buffer | undefined {
    return this.#sessions.get(keyOf(peer));
  }

  /** Keeps a session; call it only once the peer was verified. */
  keep(peer: TlsPeer, session: Buffer): void {
    if (this.#closed) return;
    const key = keyOf(peer);
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= maxSessions) return;
      this.#sessions.delete(oldest);
    }
  }

  /** Forgets all of them, for good. */
  close(): void {
    this.#closed = true;
    this.#sessions.clear();
  }
}

import type { IncomingMessage } from 'node:http';
import { CodedError } from '../../contract/errors.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { AgentRecord } from '../core/records.ts';
import { TokenBuckets } from '../core/tokenBucket.ts';

/** Knows an agent by its token; unknown, malformed and revoked are one answer. */
export type AuthPort = Readonly<{ authenticate(token: string): AgentRecord | null }>;

const failureRate = { capacity: 20, perMinute: 20 };

/**
 * Who calls. Wrong tokens are counted by remote address; beyond the limit they are not even told that they are wrong.
 * A right token always works, so nobody can lock out the owner's agents.
 */
export class Authentication {
  readonly #auth: AuthPort;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #failures = new TokenBuckets();

  constructor(auth: AuthPort, clock: Clock, log: Log) {
    this.#auth = auth;
    this.#clock = clock;
    this.#log = log;
  }

  /** null when there is no valid token; nothing is counted. */
  known(request: IncomingMessage): AgentRecord | null {
    const token = bearerToken(request);
    return token === null ? null : this.#auth.authenticate(token);
  }

  /** Throws CodedError `unauthorized` or `rate_limited`. */
  required(request: IncomingMessage): AgentRecord {
    const agent = this.known(request);
    if (agent !== null) return agent;
    const address = remoteAddress(request);
    const verdict = this.#failures.take(address, failureRate, this.#clock.monotonicMs());
    if (!verdict.ok) {
      this.#log.warn({ address }, 'many requests without a valid token');
      throw new CodedError('rate_limited', 'Too many requests without a valid token', {
        retryAfterSeconds: verdict.retryAfterSeconds,
      });
    }
    throw new CodedError('unauthorized', 'A valid agent token is needed', {
      hint: 'Send Authorization: Bearer <token>. No token yet? POST /pair {"name":"…"}, or ask the owner: oauth3 agent add NAME',
    });
  }
}

/** The token, or null unless there is exactly one well-formed Authorization header. */
function bearerToken(request: IncomingMessage): string | null {
  // Node keeps the first of several; two readers could disagree about which one counts.
  const count = request.rawHeaders.filter((text, at) => at % 2 === 0 && text.toLowerCase() === 'authorization').length;
  if (count !== 1) return null;
  return /^Bearer ([\x21-\x7e]{1,200})$/i.exec(request.headers.authorization ?? '')?.[1] ?? null;
}

/** IPv6 callers own whole networks, so the first 64 bits are the caller. */
function remoteAddress(request: IncomingMessage): string {
  const address = request.socket.remoteAddress ?? '';
  return address.includes('.') ? address : address.split(':').slice(0, 4).join(':');
}

/** True for the remote address of a caller on this machine. */
export function isLoopback(remoteAddress: string | undefined): boolean {
  const address = (remoteAddress ?? '').replace(/^::ffff:/i, '');
  return address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address);
}

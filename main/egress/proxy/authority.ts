import { constants, randomBytes } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Clock } from '../../core/clock.ts';
import {
  authorityCertificate,
  type KeyPair,
  leafCertificate,
  newKeys,
  privateKeyPem,
  type Signer,
  type Validity,
} from './certificates.ts';

const hourMs = 3_600_000;
/** Clocks of a sandbox with a kernel of its own may be behind. With the part below, 24 hours in all. */
const backdatedMs = hourMs;
const validMs = 23 * hourMs;

/** Contexts kept ready; a wildcard rule allows any number of names (ATTACKS C65). */
const maxContexts = 64;

/**
 * Signs for the hosts of one run. Keys and certificates live in memory only and are forgotten with the object; nothing
 * but `pem` is for others.
 */
export class RunAuthority {
  readonly #clock: Clock;
  readonly #signer: Signer;
  readonly #leafKeys: KeyPair;
  readonly #leafKeyPem: string;
  readonly #contexts = new Map<string, Promise<SecureContext>>();
  #validity: Validity;
  #pem = '';

  /** Makes the keys, off the main thread, and the certificate. */
  static async create(clock: Clock): Promise<RunAuthority> {
    const [keys, leafKeys] = await Promise.all([newKeys(false), newKeys(true)]);
    const authority = new RunAuthority(clock, keys, leafKeys, await privateKeyPem(leafKeys));
    await authority.renew();
    return authority;
  }

  private constructor(clock: Clock, keys: KeyPair, leafKeys: KeyPair, leafKeyPem: string) {
    this.#clock = clock;
    // A name of its own, so that no client mixes up the authorities of two runs.
    this.#signer = { name: `CN=OAuth3 run ${randomBytes(8).toString('hex')}`, keys };
    // One key for all leaves: it protects one loopback, and a key for each host would double the cost of the first call.
    this.#leafKeys = leafKeys;
    this.#leafKeyPem = leafKeyPem;
    this.#validity = { notBefore: new Date(0), notAfter: new Date(0) };
  }

  /** The certificate, good for 23 hours from the last renewal. */
  get pem(): string {
    return this.#pem;
  }

  /** Signs the certificate anew, with the same key, for whoever has waited long before the run began. */
  async renew(): Promise<void> {
    const now = this.#clock.wallMs();
    const validity = { notBefore: new Date(now - backdatedMs), notAfter: new Date(now + validMs) };
    const pem = await authorityCertificate(this.#signer, validity);
    this.#validity = validity;
    this.#pem = pem;
    this.#contexts.clear();
  }

  /** What a TLS server for this canonical host needs. Call it only for a host that may be called (ATTACKS C65). */
  contextFor(host: string): Promise<SecureContext> {
    const context = this.#contexts.get(host) ?? this.#makeContext(host);
    // The map keeps the order of last use.
    this.#contexts.delete(host);
    this.#contexts.set(host, context);
    const [oldest] = this.#contexts.keys();
    if (this.#contexts.size > maxContexts && oldest !== undefined) this.#contexts.delete(oldest);
    return context;
  }

  async #makeContext(host: string): Promise<SecureContext> {
    const name = host.replace(/^\[|\]$/g, '');
    const cert = await leafCertificate(this.#signer, this.#leafKeys.publicKey, [name], this.#validity);
    return createSecureContext({
      cert,
      key: this.#leafKeyPem,
      // Said aloud, because the default is whatever NODE_OPTIONS says.
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      // A resumed session skips the look at the name that the client asks for.
      secureOptions: constants.SSL_OP_NO_TICKET,
    });
  }
}

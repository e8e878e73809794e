import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { ArgsPolicy, Manifest } from './manifestTypes.ts';
import { isUnsaid } from './traffic.ts';

// The tag keeps a hash of one kind from ever being taken for another; the number moves with what is covered.
const manifestDomain = 'oauth3/manifest/1\n';
const trustDomain = 'oauth3/trust/1\n';
const bodyDomain = 'oauth3/body/1\n';

/** SHA-256 as 64 hex digits, of bytes or of a text's UTF-8. */
export function sha256Hex(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Hash of the exact bytes of code. */
export function codeHash(bytes: Uint8Array): string {
  return sha256Hex(bytes);
}

/** The one spelling of a JSON value (RFC 8785). Throws for what JSON cannot hold, half a surrogate pair among it. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('Not a JSON value');
  return text;
}

/** Binds one approval to one run: covers everything in the manifest. */
export function manifestDigest(manifest: Manifest): string {
  return sha256Hex(manifestDomain + canonicalJson(manifest));
}

/** Tells a repeated idempotency key from a conflicting one. */
export function bodyHash(body: unknown): string {
  return sha256Hex(bodyDomain + canonicalJson(body));
}

/**
 * What a standing trust entry is for: everything that the owner decides about, and nothing that may change without
 * asking again (secret versions, actual isolation, image, the agent's words).
 */
export function trustKey(manifest: Manifest, argsPolicy: ArgsPolicy): string {
  const { agentId, skillId, code, runtime, isolation, args, secrets, network, limits, traffic } = manifest;
  const covered = {
    agentId,
    skillId,
    code,
    runtime,
    minimumIsolation: isolation.minimum,
    args: argsPolicy === 'any' ? { policy: 'any' } : { policy: 'exact', sha256: args.sha256 },
    secrets: secrets.map(({ version: _rotates, ...decided }) => decided),
    network,
    limits,
    ...(traffic !== undefined && !isUnsaid(traffic) && { traffic }),
  };
  return sha256Hex(trustDomain + canonicalJson(covered));
}

import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** What one link of the audit chain covers. Hashes are 64 lower-case hex characters. */
export type AuditLink = Readonly<{
  seq: number;
  at: number;
  actor: string;
  kind: string;
  requestId: string | null;
  payloadHash: string;
  prevHash: string;
}>;

/** What stands before the first event. */
export const genesisHash = '0'.repeat(64);

/**
 * The one text of a payload (RFC 8785). A lone surrogate has no UTF-8 and becomes U+FFFD, because a name somebody
 * else chose must never keep an event out of the log.
 */
export function auditPayloadText(payload: unknown): string {
  const wellFormed: unknown = JSON.parse(
    JSON.stringify(payload ?? null, (_key, value: unknown) =>
      typeof value === 'string' ? value.replace(/\p{Surrogate}/gu, '\uFFFD') : value,
    ),
  );
  return canonicalize(wellFormed) ?? 'null';
}

/** Hash of a payload text; the chain covers this and not the payload, so that a pruned payload leaves the chain whole. */
export function auditPayloadHash(payloadText: string): string {
  return hash('sha256', `oauth3/audit-payload/v1\0${payloadText}`, 'hex');
}

/** Hash of one event: SHA-256 over a domain tag and the canonical JSON of all that the event says. */
export function auditLinkHash(link: AuditLink): string {
  const { seq, at, actor, kind, requestId, payloadHash, prevHash } = link;
  const fields = JSON.stringify([seq, at, actor, kind, requestId, payloadHash, prevHash]);
  return hash('sha256', `oauth3/audit-event/v1\0${fields}`, 'hex');
}

import { formatHostRule } from './host.ts';
import type { Manifest } from './manifestTypes.ts';
import { bindableRules } from './networkRules.ts';
import type { SecretRecord } from './records.ts';

/** What stands between a card and an approval. */
export type Blockers = Readonly<{
  /** Names that the owner has not added. */
  missing: readonly string[];
  /** Secrets that are bound nowhere yet, with the hosts of this request that the owner may bind them to. */
  unbound: readonly Readonly<{ name: string; hosts: readonly string[] }>[];
}>;

/**
 * A secret that is bound to other hosts does not block: it stays out, and the card says so. Neither does one that could
 * go nowhere anyway. Known echo and relay hosts are never offered for a binding, nor are
 * hosts with a WebSocket.
 */
export function blockersOf(manifest: Manifest, secretOf: (name: string) => SecretRecord | null): Blockers {
  const hosts = bindableRules(manifest.network).map(formatHostRule);
  const unbound = manifest.secrets
    .filter((secret) => secret.secretId !== null && secret.delivery === 'placeholder' && secret.binding === 'none')
    .filter((secret) => hosts.length > 0 && (secretOf(secret.name)?.binding.hosts.length ?? 0) === 0)
    .map((secret) => ({ name: secret.name, hosts }));
  return {
    missing: manifest.secrets.filter((secret) => secret.secretId === null).map((secret) => secret.name),
    unbound,
  };
}

export function isBlocked(blockers: Blockers): boolean {
  return blockers.missing.length > 0 || blockers.unbound.length > 0;
}

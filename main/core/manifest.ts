import type { Isolation } from '../../contract/runtime.ts';
import { codeHash, sha256Hex } from './digest.ts';
import { formatHostRule, type HostRule } from './host.ts';
import { type Manifest, type ManifestSecret, noPlaces, type SecretPlaces } from './manifestTypes.ts';
import { bindableRules, namesHost, narrowRules, readStoredRules, sortRules } from './networkRules.ts';
import type { SecretRecord } from './records.ts';
import type { RequestPlan } from './requestPlan.ts';
import { runTraffic } from './traffic.ts';

/** Looks up what the vault knows about a secret; null when the owner has not added it. */
export type SecretLookup = (name: string) => Pick<SecretRecord, 'id' | 'version' | 'delivery' | 'binding'> | null;

/** Hosts confirmed on the card of one request: secret name -> host rules as text. */
export type RequestBindings = Readonly<Record<string, readonly string[]>>;

/** What would carry the run, as the chosen backend states it. */
export type SandboxFacts = Readonly<{ isolation: Isolation; carrier: Manifest['carrier'] }>;

/**
 * The sandbox that would run something, or `reason`: a plain sentence that says what is missing and how to get it.
 * `waitsFor`: the sandbox is still being prepared, in a sentence; what is approved for it waits.
 */
export type SandboxChoice =
  | Readonly<{ ready: true; facts: SandboxFacts; waitsFor: string | null }>
  | Readonly<{ ready: false; reason: string }>;

export type ManifestInput = Readonly<{
  agentId: string;
  plan: RequestPlan;
  code: Uint8Array;
  /** Host that sent the code; null or left out: it came with the request. */
  fetchedFrom?: string | null;
  sandbox: SandboxFacts;
  secretOf: SecretLookup;
  requestBindings: RequestBindings;
}>;

/** The canonical statement of what would run: sorted, without repetition, every default filled in. */
export function buildManifest(input: ManifestInput): Manifest {
  const { plan, sandbox, fetchedFrom = null } = input;
  return {
    version: 1,
    agentId: input.agentId,
    skillId: plan.skillId,
    shown: {
      description: plan.description,
      skillUrl: plan.skillUrl,
      ...(fetchedFrom !== null && { fetchedFrom }),
    },
    code: { sha256: codeHash(input.code), length: input.code.byteLength },
    runtime: plan.runtime,
    isolation: { minimum: plan.minimumIsolation, actual: sandbox.isolation },
    args: { sha256: sha256Hex(plan.argsJson), json: plan.argsJson },
    secrets: bindSecrets(plan.secretNames, plan.network, input.secretOf, input.requestBindings),
    network: plan.network,
    limits: plan.limits,
    traffic: runTraffic,
    carrier: sandbox.carrier,
  };
}

/** The same wish after secrets, bindings or the sandbox changed underneath. */
export function rebuildManifest(
  manifest: Manifest,
  input: Pick<ManifestInput, 'sandbox' | 'secretOf' | 'requestBindings'>,
): Manifest {
  const names = manifest.secrets.map((secret) => secret.name);
  return {
    ...manifest,
    isolation: { minimum: manifest.isolation.minimum, actual: input.sandbox.isolation },
    secrets: bindSecrets(names, manifest.network, input.secretOf, input.requestBindings),
    carrier: input.sandbox.carrier,
  };
}

function bindSecrets(
  names: readonly string[],
  network: readonly HostRule[],
  secretOf: SecretLookup,
  requestBindings: RequestBindings,
): readonly ManifestSecret[] {
  return names.map((name) => {
    const record = secretOf(name);
    if (record === null) return unknownSecret(name);
    const confirmed = Object.hasOwn(requestBindings, name) ? (requestBindings[name] ?? []) : [];
    const hosts = boundHosts(record.binding.hosts, confirmed, network);
    return {
      name,
      secretId: record.id,
      version: record.version,
      delivery: record.delivery,
      bindingRevision: record.binding.revision,
      ...hosts,
      places: sortPlaces(record.binding.places),
    };
  });
}

/**
 * A WebSocket that was asked for to a host that one of the named secrets is bound to, whatever its port: nobody could
 * look into it for an echo of the value (ATTACKS B49). Null when there is none.
 */
export function webSocketConflict(
  { secretNames, network }: Pick<RequestPlan, 'secretNames' | 'network'>,
  secretOf: SecretLookup,
): Readonly<{ secret: string; rule: HostRule }> | null {
  for (const secret of secretNames) {
    const bound = readStoredRules(secretOf(secret)?.binding.hosts ?? [], network);
    const rule = network.find(({ host, ws }) => ws === true && namesHost(bound, host));
    if (rule !== undefined) return { secret, rule };
  }
  return null;
}

function unknownSecret(name: string): ManifestSecret {
  return {
    name,
    secretId: null,
    version: 0,
    delivery: 'placeholder',
    bindingRevision: 0,
    hosts: [],
    binding: 'none',
    places: noPlaces,
  };
}

function boundHosts(
  owned: readonly string[],
  confirmed: readonly string[],
  network: readonly HostRule[],
): Pick<ManifestSecret, 'hosts' | 'binding'> {
  const fromOwner = narrowRules(readStoredRules(owned, network), network);
  // Only a rule of this very request can have been confirmed on its card.
  const fromCard = bindableRules(network).filter((rule) => confirmed.includes(formatHostRule(rule)));
  if (fromCard.length > 0) return { hosts: sortRules([...fromOwner, ...fromCard]), binding: 'request' };
  return { hosts: fromOwner, binding: fromOwner.length > 0 ? 'owner' : 'none' };
}

function sortPlaces(places: SecretPlaces): SecretPlaces {
  const sorted = (names: readonly string[]): readonly string[] => [...new Set(names)].sort();
  return {
    headers: sorted(places.headers.map((name) => name.toLowerCase())),
    query: sorted(places.query),
    path: places.path,
    json: sorted(places.json),
    form: sorted(places.form),
  };
}

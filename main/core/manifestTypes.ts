import type { Isolation, Runtime } from '../../contract/runtime.ts';
import type { Delivery } from '../../contract/states.ts';
import type { HostRule } from './host.ts';
import type { TrafficLimits } from './traffic.ts';

/** Where a secret may be put besides `Authorization` and the well-known header of the host. All off by default. */
export type SecretPlaces = Readonly<{
  headers: readonly string[];
  query: readonly string[];
  path: boolean;
  json: readonly string[];
  form: readonly string[];
}>;

export const noPlaces: SecretPlaces = { headers: [], query: [], path: false, json: [], form: [] };

/** What the manifest says about one secret. `secretId` is null while the owner has not added it. */
export type ManifestSecret = Readonly<{
  name: string;
  secretId: string | null;
  /** Version of the value; covered by the manifest digest, not by the trust key (rotation keeps trust). */
  version: number;
  delivery: Delivery;
  bindingRevision: number;
  /** Hosts of this request that the value may go to: the owner's binding, or the step confirmed on this card. */
  hosts: readonly HostRule[];
  /** `owner`: stored binding. `request`: confirmed on this card only (kept by 24h and forever). `none`: goes nowhere. */
  binding: 'owner' | 'request' | 'none';
  places: SecretPlaces;
}>;

export type ManifestLimits = Readonly<{ timeoutMs: number; memoryMb: number; cpus: number }>;

/**
 * The canonical, validated, defaulted statement of what would run. Lists are sorted, so that two texts that mean the
 * same have one digest. Version 1.
 */
export type Manifest = Readonly<{
  version: 1;
  agentId: string;
  skillId: string;
  /**
   * Agent's words and source as displayed: inside the digest, so the owner decides about what was shown. `fetchedFrom`
   * is the host that sent us the code; left out when the code came with the request and the URL is only a claim.
   */
  shown: Readonly<{ description: string; skillUrl: string; fetchedFrom?: string }>;
  code: Readonly<{ sha256: string; length: number }>;
  runtime: Runtime;
  isolation: Readonly<{ minimum: Isolation; actual: Isolation }>;
  args: Readonly<{ sha256: string; json: string }>;
  secrets: readonly ManifestSecret[];
  network: readonly HostRule[];
  limits: ManifestLimits;
  /** Left out by manifests that were made before it was said: then it is `unsaidTraffic`. */
  traffic?: TrafficLimits;
  /** Ids of what would carry the run: image, runner, seccomp profile. For `embedded`: the engine's version. */
  carrier: Readonly<{ image: string; runner: string; seccomp: string }>;
}>;

export type ArgsPolicy = 'exact' | 'any';

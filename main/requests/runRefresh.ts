import { CodedError } from '../../contract/errors.ts';
import type { Principal } from '../../contract/states.ts';
import type { Clock } from '../core/clock.ts';
import { manifestDigest, trustKey } from '../core/digest.ts';
import { formatHostRule } from '../core/host.ts';
import { type RequestBindings, rebuildManifest, type SandboxFacts } from '../core/manifest.ts';
import type { Manifest } from '../core/manifestTypes.ts';
import { bindableRules } from '../core/networkRules.ts';
import type { AuditInput, Records, RequestRecord } from '../core/records.ts';
import type { DeskPort, SandboxPort } from './ports.ts';

export type RunRefreshDeps = Readonly<{
  records: Pick<Records, 'manifest' | 'pendingRequests' | 'replaceManifest' | 'request' | 'secretByName'>;
  sandbox: Pick<SandboxPort, 'pick'>;
  desk: Pick<DeskPort, 'refresh'>;
  clock: Clock;
}>;

/** Keeps waiting requests true to what secrets, bindings and sandboxes are now: a change makes a new digest and card. */
export class RunRefresh {
  readonly #deps: RunRefreshDeps;

  constructor(deps: RunRefreshDeps) {
    this.#deps = deps;
  }

  /** A secret was added, bound, replaced or removed: every waiting request that names it is looked at again. */
  refreshForSecret(name: string): void {
    for (const request of this.#deps.records.pendingRequests()) {
      const manifest = this.#deps.records.manifest(request.manifestDigest);
      if (manifest?.secrets.some((secret) => secret.name === name) === true) this.#refreshAndShow(request);
    }
  }

  /** After a start or a change of sandboxes: what would carry the runs may be another. */
  refreshAll(): void {
    for (const request of this.#deps.records.pendingRequests()) this.#refreshAndShow(request);
  }

  /** Brings the stored manifest up to date. True when it had to change, so that what was shown is stale. */
  refresh(request: RequestRecord): boolean {
    const manifest = this.#deps.records.manifest(request.manifestDigest);
    if (manifest === null) return false;
    const audit = { actor: 'broker', kind: 'request.refreshed', payload: {} };
    return this.#rebuild(request, manifest, request.requestBindings, audit);
  }

  /**
   * The owner's explicit step on the card: this secret may go to these hosts, for this request. Throws CodedError
   * `not_found`, `already_decided`, `invalid_request`.
   */
  confirmBinding(requestId: string, secretName: string, hosts: readonly string[], principal: Principal): void {
    const request = this.#deps.records.request(requestId);
    if (request === null) throw new CodedError('not_found', 'There is no such request');
    if (request.status !== 'pending') throw new CodedError('already_decided', 'The request does not wait any more');
    const manifest = this.#deps.records.manifest(request.manifestDigest);
    const secret = manifest?.secrets.find((candidate) => candidate.name === secretName);
    if (manifest === null || secret === undefined || secret.secretId === null) {
      throw new CodedError('not_found', 'This request has no such secret');
    }
    const offered = bindableRules(manifest.network).map(formatHostRule);
    const refused = hosts.find((host) => !offered.includes(host));
    if (hosts.length === 0 || refused !== undefined) {
      throw new CodedError('invalid_request', 'A secret can be bound only to hosts that the card names for it');
    }
    const bindings = { ...request.requestBindings, [secretName]: [...new Set(hosts)].sort() };
    const payload = { secret: secretName, hosts: bindings[secretName] };
    if (this.#rebuild(request, manifest, bindings, { actor: principal, kind: 'binding.confirmed', payload })) {
      this.#deps.desk.refresh('run', requestId);
    }
  }

  #refreshAndShow(request: RequestRecord): void {
    this.refresh(request);
    // Even with the same digest: what a secret is bound to elsewhere stands on the card too.
    this.#deps.desk.refresh('run', request.id);
  }

  #rebuild(request: RequestRecord, manifest: Manifest, requestBindings: RequestBindings, audit: AuditInput): boolean {
    const { records, clock } = this.#deps;
    const rebuilt = rebuildManifest(manifest, {
      sandbox: this.#sandboxFor(manifest),
      secretOf: (name) => records.secretByName(name),
      requestBindings,
    });
    const digest = manifestDigest(rebuilt);
    if (digest === request.manifestDigest) return false;
    const change = {
      manifest: rebuilt,
      manifestDigest: digest,
      trustKey: trustKey(rebuilt, 'exact'),
      requestBindings,
    };
    return records.replaceManifest(request.id, change, audit, clock.wallMs());
  }

  /** While nothing is ready the manifest keeps what it says; approving is refused then anyway. */
  #sandboxFor(manifest: Manifest): SandboxFacts {
    const choice = this.#deps.sandbox.pick(manifest.runtime, manifest.isolation.minimum);
    return choice.ready ? choice.facts : { isolation: manifest.isolation.actual, carrier: manifest.carrier };
  }
}

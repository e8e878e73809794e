import { codeHash, manifestDigest } from '../core/digest.ts';
import type { Manifest } from '../core/manifestTypes.ts';
import type { RequestRecord } from '../core/records.ts';
import type { Backend } from './backend.ts';
import type { SchedulerDeps } from './ports.ts';

/** Everything that a run starts from, checked against what was approved. */
export type Admitted = Readonly<{
  request: RequestRecord;
  manifest: Manifest;
  code: Uint8Array;
  backend: Backend;
  /** By name, as they are in the vault now: exactly the approved versions. */
  values: ReadonlyMap<string, string>;
}>;

export type Refused = Readonly<{ code: string; message: string }>;
/** `waitsFor`: nothing is wrong, but the sandbox is still being prepared. */
export type Admission =
  | Readonly<{ ok: true; run: Admitted }>
  | Readonly<{ ok: false; waitsFor: Backend }>
  | Readonly<{ ok: false; error: Refused }>;

const refuse = (code: string, message: string): Admission => ({ ok: false, error: { code, message } });

/**
 * Whether an approved request may start now. Loads code and manifest from the store and hashes both again: what the
 * owner saw is what runs (ATTACKS 187, 190). Synchronous, so that nothing changes between this look and the start.
 */
export function admit(request: RequestRecord, deps: SchedulerDeps): Admission {
  const { records, vault } = deps;
  const manifest = records.manifest(request.manifestDigest);
  const code = records.code(request.codeHash);
  if (manifest === null || code === null || !bytesAreApproved(request, manifest, code)) {
    return refuse('digest_mismatch', 'What is stored is not what was approved; it was not run');
  }
  const agent = records.agent(request.agentId);
  if (agent === null || agent.revokedAt !== null) return refuse('agent_revoked', 'The agent was revoked');
  if (agent.pausedAt !== null) return refuse('agent_paused', 'The agent was paused before the run started');
  const approval = request.approvalId === null ? null : records.trustEntry(request.approvalId);
  if (approval !== null && (approval.revokedAt !== null || approval.suspendedAt !== null)) {
    return refuse('trust_revoked', 'The approval was taken back before the run started');
  }
  if (!vault.isUnlocked()) return refuse('vault_locked', 'The vault was locked before the run started');
  const backend = deps.backends.find(
    ({ isolation, runtimes }) => isolation === manifest.isolation.actual && runtimes.includes(manifest.runtime),
  );
  if (backend === undefined) {
    return refuse('sandbox_unavailable', `There is no ${manifest.isolation.actual} sandbox for ${manifest.runtime}`);
  }
  const status = backend.status(manifest.runtime);
  if (!status.ready && status.coming) return { ok: false, waitsFor: backend };
  if (!status.ready) return refuse('sandbox_unavailable', status.reason);
  // What carries the run is part of what was approved (ATTACKS 145).
  if (!backend.carries(manifest.runtime, manifest.carrier)) {
    return refuse('sandbox_changed', 'The sandbox was replaced after the approval; ask again');
  }
  const values = approvedValues(manifest, deps);
  if (values === null) {
    return refuse('secret_changed', 'A secret or where it may go changed after the approval; ask again');
  }
  return { ok: true, run: { request, manifest, code, backend, values } };
}

function bytesAreApproved(request: RequestRecord, manifest: Manifest, code: Uint8Array): boolean {
  return (
    manifestDigest(manifest) === request.manifestDigest &&
    codeHash(code) === manifest.code.sha256 &&
    manifest.code.sha256 === request.codeHash &&
    code.byteLength === manifest.code.length &&
    manifest.agentId === request.agentId &&
    manifest.skillId === request.skillId
  );
}

/** The values of the manifest's secrets, or null if any is not exactly the one that was approved. */
function approvedValues(manifest: Manifest, { records, vault }: SchedulerDeps): ReadonlyMap<string, string> | null {
  const values = new Map<string, string>();
  for (const secret of manifest.secrets) {
    const now = records.secretByName(secret.name);
    if (now === null || secret.secretId === null) return null;
    const same =
      now.id === secret.secretId && now.delivery === secret.delivery && now.binding.revision === secret.bindingRevision;
    if (!same) return null;
    const opened = vault.value(secret.secretId);
    if (opened === null || opened.version !== secret.version) return null;
    values.set(secret.name, opened.value);
  }
  return values;
}

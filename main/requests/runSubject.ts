import type { Card } from '../../contract/card.ts';
import type { TrustLevel } from '../../contract/states.ts';
import type { DecisionResult, OwnerDecision, SubjectHandler } from '../approvals/channel.ts';
import { blockersOf, isBlocked } from '../core/blockers.ts';
import { codeHash, manifestDigest, trustKey } from '../core/digest.ts';
import { formatHostRule } from '../core/host.ts';
import { makeId } from '../core/ids.ts';
import { rebuildManifest } from '../core/manifest.ts';
import type { ArgsPolicy, Manifest } from '../core/manifestTypes.ts';
import type { DecisionInput, DecisionWritten, Records, RequestRecord, SecretRecord } from '../core/records.ts';
import type { RequestEvents, RunLauncher } from '../core/runPorts.ts';
import { standingExpiry } from '../core/trustPolicy.ts';
import { wakeText } from '../core/wakeText.ts';
import type { ClockGuard } from './clockGuard.ts';
import type { RequestExpiry } from './expiry.ts';
import type { PausePort, Random, SandboxPort, VaultPort } from './ports.ts';
import type { RunCards } from './runCards.ts';
import { runOutcome } from './runOutcome.ts';
import type { RunRefresh } from './runRefresh.ts';

export type RunSubjectDeps = Readonly<{
  records: Pick<Records, 'agent' | 'code' | 'decide' | 'manifest' | 'pendingRequests' | 'request' | 'secretByName'>;
  cards: RunCards;
  refresh: RunRefresh;
  expiry: Pick<RequestExpiry, 'sweep'>;
  clockGuard: ClockGuard;
  launcher: Pick<RunLauncher, 'enqueue'>;
  events: Pick<RequestEvents, 'emitChanged'>;
  sandbox: Pick<SandboxPort, 'pick'>;
  vault: VaultPort;
  pause: PausePort;
  random: Random;
}>;

/** What the desk asks about runs: the card from stored truth, and the decision that counts once. */
export class RunSubject implements SubjectHandler {
  readonly subject = 'run';
  readonly #deps: RunSubjectDeps;

  constructor(deps: RunSubjectDeps) {
    this.#deps = deps;
  }

  card(id: string): Card | null {
    return this.#deps.cards.card(id);
  }

  waiting(): readonly string[] {
    return this.#deps.records.pendingRequests().map((request) => request.id);
  }

  /** Synchronous from the first look to the stored decision, so nothing can come between them. */
  decide(decision: OwnerDecision): DecisionResult {
    const { records, expiry } = this.#deps;
    expiry.sweep();
    const request = records.request(decision.id);
    if (request === null) return { ok: false, reason: 'unknown', text: 'There is no such request.' };
    if (request.status !== 'pending') return ended(request);
    if (request.manifestDigest !== decision.revision) return stale;
    switch (decision.verdict) {
      case 'deny':
        return this.#deny(request, decision);
      case 'once':
      case '24h':
      case 'forever':
        return this.#approve(request, decision, decision.verdict);
      case 'approve':
        return blocked('A run is approved once, for 24 hours or always.');
    }
  }

  #deny(request: RequestRecord, decision: OwnerDecision): DecisionResult {
    const written = this.#deps.records.decide({
      ...this.#base(request, decision),
      decision: 'deny',
      wakeText: wakeText(request, 'denied'),
      ...(decision.reason !== undefined && { denyReason: decision.reason }),
    });
    return this.#finish(written);
  }

  #approve(request: RequestRecord, decision: OwnerDecision, level: TrustLevel): DecisionResult {
    const { records, refresh, launcher } = this.#deps;
    if (refresh.refresh(request)) return stale;
    const manifest = records.manifest(request.manifestDigest);
    const hindrance = this.#hindrance(request, manifest);
    if (manifest === null || hindrance !== null) return blocked(hindrance ?? 'The stored request cannot be read.');
    if (decision.argsPolicy === 'any' && this.#deps.cards.card(request.id)?.anyArgs !== true) {
      return blocked('This code could run its arguments as code, so trust can only be for these arguments.');
    }

    const kept = level === 'once' ? [] : this.#keptBindings(manifest);
    const written = records.decide({
      ...this.#base(request, decision),
      decision: level,
      ...(level !== 'once' && { standing: this.#standing(manifest, kept, level, decision.argsPolicy ?? 'exact') }),
    });
    const result = this.#finish(written);
    if (!result.ok) return result;
    launcher.enqueue(request.id);
    // A binding that was kept changes what other waiting requests with that secret would do.
    for (const { secret } of kept) refresh.refreshForSecret(secret.name);
    return result;
  }

  /** Why it cannot be approved now, as a sentence for the owner; null when nothing stands against it. */
  #hindrance(request: RequestRecord, manifest: Manifest | null): string | null {
    const { records, vault, pause, sandbox } = this.#deps;
    const agent = records.agent(request.agentId);
    if (agent === null || agent.revokedAt !== null) return 'The agent was revoked.';
    if (agent.pausedAt !== null) return 'The agent is paused. Resume it first.';
    if (pause.isPaused()) return 'Everything is paused. Resume first.';
    if (vault.state() !== 'unlocked') return 'The vault is locked. Unlock it first.';
    const code = records.code(request.codeHash);
    if (manifest === null || code === null) return 'The stored request cannot be read.';
    if (manifestDigest(manifest) !== request.manifestDigest || codeHash(code) !== manifest.code.sha256) {
      return 'What is stored is not what was asked for. Deny it.';
    }
    const blockers = blockersOf(manifest, (name) => records.secretByName(name));
    if (isBlocked(blockers)) {
      const [missing] = blockers.missing;
      return missing === undefined
        ? `First confirm where ${blockers.unbound[0]?.name ?? 'the secret'} may go.`
        : `First add the secret ${missing}.`;
    }
    const choice = sandbox.pick(manifest.runtime, manifest.isolation.minimum);
    return choice.ready ? null : choice.reason;
  }

  /** Bindings that were confirmed on this card, as they become the owner's own. */
  #keptBindings(manifest: Manifest): readonly Kept[] {
    return manifest.secrets.flatMap((secret) => {
      const record = secret.binding === 'request' ? this.#deps.records.secretByName(secret.name) : null;
      if (record === null) return [];
      const hosts = [...new Set([...record.binding.hosts, ...secret.hosts.map(formatHostRule)])].sort();
      return [{ secret: record, hosts }];
    });
  }

  #standing(
    manifest: Manifest,
    kept: readonly Kept[],
    level: '24h' | 'forever',
    argsPolicy: ArgsPolicy,
  ): NonNullable<DecisionInput['standing']> {
    // What the next request will find: the kept binding in its next revision, so that its trust key is this one.
    const secretOf = (name: string): SecretRecord | null => {
      const found = kept.find(({ secret }) => secret.name === name);
      if (found === undefined) return this.#deps.records.secretByName(name);
      const { binding } = found.secret;
      return {
        ...found.secret,
        binding: { ...binding, revision: binding.revision + 1, hosts: found.hosts, source: 'owner' },
      };
    };
    const sandbox = { isolation: manifest.isolation.actual, carrier: manifest.carrier };
    const final = rebuildManifest(manifest, { sandbox, secretOf, requestBindings: {} });
    return {
      trustKey: trustKey(final, argsPolicy),
      argsPolicy,
      expiresAt: standingExpiry(level, this.#deps.clockGuard.now().wallMs),
      manifest: final,
      manifestDigest: manifestDigest(final),
      keepBindings: kept.map(({ secret, hosts }) => ({ secretId: secret.id, hosts })),
    };
  }

  #base(request: RequestRecord, decision: OwnerDecision) {
    return {
      requestId: request.id,
      manifestDigest: decision.revision,
      principal: decision.principal,
      nowMs: this.#deps.clockGuard.now().wallMs,
      approvalId: makeId('apr', this.#deps.random),
    };
  }

  #finish(written: DecisionWritten): DecisionResult {
    switch (written.kind) {
      case 'decided': {
        this.#deps.events.emitChanged(written.request);
        const outcome = runOutcome(written.request);
        return outcome === null ? blocked('The decision was not stored.') : { ok: true, outcome };
      }
      case 'ended':
        return ended(written.request);
      case 'stale':
        return stale;
      case 'unknown':
        return { ok: false, reason: 'unknown', text: 'There is no such request.' };
    }
  }
}

type Kept = Readonly<{ secret: SecretRecord; hosts: readonly string[] }>;

const stale: DecisionResult = {
  ok: false,
  reason: 'stale',
  text: 'The card changed since it was shown. Look at it again.',
};

function blocked(text: string): DecisionResult {
  return { ok: false, reason: 'blocked', text };
}

function ended(request: RequestRecord): DecisionResult {
  const outcome = runOutcome(request);
  return {
    ok: false,
    reason: 'ended',
    text: outcome?.text ?? 'It was decided already.',
    ...(outcome !== null && { outcome }),
  };
}

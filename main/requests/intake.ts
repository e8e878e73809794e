import type { ExecuteAnswer, ExecuteBody, RequestView } from '../../contract/bridge.ts';
import { CodedError } from '../../contract/errors.ts';
import { blockersOf, isBlocked } from '../core/blockers.ts';
import type { Clock } from '../core/clock.ts';
import { readCommentTags } from '../core/commentTags.ts';
import { bodyHash, manifestDigest, trustKey } from '../core/digest.ts';
import { formatHostRule } from '../core/host.ts';
import { makeId } from '../core/ids.ts';
import { buildManifest, webSocketConflict } from '../core/manifest.ts';
import type { Manifest } from '../core/manifestTypes.ts';
import type { AgentRecord, NewRequest, Records, RequestRecord, SecretRecord } from '../core/records.ts';
import { planRequest, type RequestPlan } from '../core/requestPlan.ts';
import type { RequestEvents, RunLauncher } from '../core/runPorts.ts';
import { isoTime } from '../core/times.ts';
import { TokenBuckets } from '../core/tokenBucket.ts';
import type { ClockGuard } from './clockGuard.ts';
import { findCode, type SourceCode, type SourceFetch } from './codeSource.ts';
import type { ManifestShelf } from './manifestShelf.ts';
import type {
  DeskPort,
  FetchSource,
  LocalNames,
  PausePort,
  Random,
  SandboxPort,
  SettingsPort,
  VaultPort,
} from './ports.ts';
import { reachedMessage } from './reachedMessage.ts';
import { remembered } from './remembered.ts';
import { RequestInserts } from './requestInserts.ts';
import { finishedAnswer, requestView } from './requestViews.ts';
import type { RequestWaits } from './requestWaits.ts';
import { standingTrust } from './standingTrust.ts';

export type IntakeDeps = Readonly<{
  records: Pick<
    Records,
    | 'agent'
    | 'appendAudit'
    | 'egressOf'
    | 'insertRequest'
    | 'liveTrust'
    | 'markResultFetched'
    | 'request'
    | 'requestByIdempotencyKey'
    | 'result'
    | 'secretByName'
    | 'together'
    | 'touchTrust'
  >;
  manifests: ManifestShelf;
  clock: Clock;
  clockGuard: ClockGuard;
  random: Random;
  settings: SettingsPort;
  vault: VaultPort;
  pause: PausePort;
  sandbox: SandboxPort;
  localNames: LocalNames;
  fetchSource: FetchSource;
  desk: Pick<DeskPort, 'open'>;
  launcher: Pick<RunLauncher, 'enqueue' | 'waitsFor'>;
  events: Pick<RequestEvents, 'emitChanged'>;
  waits: RequestWaits;
}>;

export type IntakeAnswer = Readonly<{ httpStatus: 200 | 202; body: ExecuteAnswer | RequestView }>;

/** How long a trusted run is waited for before the answer is 202 `running`. */
const synchronousWaitMs = 30_000;
const minuteMs = 60_000;

/** `POST /execute`: from a validated body to a stored request, and what to answer. */
export class Intake {
  readonly #deps: IntakeDeps;
  readonly #buckets = new TokenBuckets();
  readonly #inserts: RequestInserts;

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
    this.#inserts = new RequestInserts(deps.records);
  }

  /** Everything may throw CodedError; then nothing was stored. `signal` fires when the caller goes away. */
  async execute(agent: AgentRecord, body: ExecuteBody, signal: AbortSignal): Promise<IntakeAnswer> {
    this.#limitRate(agent);
    const hash = hashOf(body);
    const repeated = this.#repeated(agent, body, hash);
    if (repeated !== null) return this.#answerAgain(repeated);
    // Fetching is for those who may ask at all; whether they still may is looked at again just before storing.
    if (body.code === undefined) this.#refuseWhileClosed(agent.id);
    const code = await findCode(body, {
      fetchSource: this.#deps.fetchSource,
      onFetch: (outcome) => this.#recordFetch(agent, outcome),
    });
    const stored = await this.#inserts.insert(() => this.#newRequest(agent, body, hash, code));
    switch (stored.kind) {
      case 'created':
        this.#deps.events.emitChanged(stored.request);
        if (stored.request.approvalId !== null) {
          this.#deps.records.touchTrust(stored.request.approvalId, stored.request.createdAt);
        }
        return stored.request.status === 'approved'
          ? this.#runTrusted(stored.request, body.async === true, signal)
          : this.#askOwner(stored.request);
      case 'existing':
        return this.#answerAgain(stored.request);
      case 'conflict':
        throw new CodedError('idempotency_conflict', 'This idempotency_key was used with another body', {
          hint: 'Use a new key for a new request.',
        });
      case 'over_cap':
        throw tooManyCards(stored);
    }
  }

  #limitRate(agent: AgentRecord): void {
    const perMinute = this.#deps.settings.get('limits.requests_per_minute');
    const rate = { capacity: perMinute, perMinute };
    const verdict = this.#buckets.take(agent.id, rate, this.#deps.clock.monotonicMs());
    if (verdict.ok) return;
    throw new CodedError('rate_limited', `More than ${perMinute} requests a minute`, {
      hint: 'Try again later; to learn of a result, long-poll GET /requests/:id?wait=60.',
      retryAfterSeconds: verdict.retryAfterSeconds,
    });
  }

  /** An earlier request with the same key and body is answered in any weather; all other cases the store tells apart. */
  #repeated(agent: AgentRecord, body: ExecuteBody, hash: string): RequestRecord | null {
    if (body.idempotency_key === undefined) return null;
    const known = this.#deps.records.requestByIdempotencyKey(agent.id, body.idempotency_key);
    return known?.bodyHash === hash ? known : null;
  }

  #refuseWhileClosed(agentId: string): void {
    const agent = this.#deps.records.agent(agentId);
    if (agent === null || agent.revokedAt !== null) throw new CodedError('unauthorized', 'This token is not valid');
    if (agent.pausedAt !== null) {
      throw new CodedError('agent_paused', 'The owner has paused this agent', { hint: 'Ask the owner to resume it.' });
    }
    if (this.#deps.pause.isPaused()) {
      throw new CodedError('paused', 'The owner has paused everything', { hint: 'Try again after the owner resumes.' });
    }
    if (this.#deps.vault.state() !== 'unlocked') {
      throw new CodedError('vault_locked', 'The vault is locked', {
        hint: 'The owner unlocks it in the app window or with: oauth3 unlock',
      });
    }
  }

  /** Before anybody decided, an agent had us speak to a host of its choice: that leaves a trace, whatever came of it. */
  #recordFetch(agent: AgentRecord, outcome: SourceFetch): void {
    this.#deps.records.appendAudit(
      { actor: `agent:${agent.id}`, kind: 'source.fetched', payload: { agent: agent.name, ...outcome } },
      this.#deps.clock.wallMs(),
    );
  }

  /** Everything that is looked at is looked at in one go with storing: nothing can change in between. */
  #newRequest(agent: AgentRecord, body: ExecuteBody, hash: string, code: SourceCode): NewRequest {
    this.#refuseWhileClosed(agent.id);
    const { records, clock, clockGuard, random, settings } = this.#deps;
    const secretOf = remembered((name: string) => records.secretByName(name));
    const manifest = this.#manifestFor(agent, body, code, secretOf);
    const trust = isBlocked(blockersOf(manifest, secretOf)) ? null : standingTrust(manifest, records, clockGuard.now());
    const createdAt = clock.wallMs();
    const digest = manifestDigest(manifest);
    this.#deps.manifests.keep(digest, manifest);
    return {
      id: makeId('req', random),
      agentId: agent.id,
      skillId: manifest.skillId,
      manifest,
      manifestDigest: digest,
      // The key that allows it, so that the store can look at the entry again in the same transaction.
      trustKey: trust?.trustKey ?? trustKey(manifest, 'exact'),
      code: code.bytes,
      idempotencyKey: body.idempotency_key ?? null,
      bodyHash: hash,
      createdAt,
      expiresAt: createdAt + settings.get('approval.expires_minutes') * minuteMs,
      trust: trust === null ? null : { entryId: trust.id, level: trust.level },
      pendingCap: settings.get('limits.pending_per_agent'),
    };
  }

  #manifestFor(
    agent: AgentRecord,
    body: ExecuteBody,
    code: SourceCode,
    secretOf: (name: string) => SecretRecord | null,
  ): Manifest {
    const { sandbox, settings, localNames } = this.#deps;
    const minimumIsolation = settings.get('isolation.minimum');
    const context = { runtime: sandbox.defaultRuntime(), minimumIsolation, localNames: localNames() };
    const plan = planRequest(body, readCommentTags(code.text), context);
    this.#refuseWebSocketToSecrets(plan, secretOf);
    const choice = sandbox.want(plan.runtime, plan.minimumIsolation);
    if (!choice.ready) {
      throw new CodedError(
        'sandbox_unavailable',
        `No sandbox for ${plan.runtime} with isolation ${plan.minimumIsolation} is ready`,
        { hint: choice.reason },
      );
    }
    return buildManifest({
      agentId: agent.id,
      plan,
      code: code.bytes,
      fetchedFrom: code.fetchedFrom,
      sandbox: choice.facts,
      secretOf,
      requestBindings: {},
    });
  }

  #refuseWebSocketToSecrets(plan: RequestPlan, secretOf: (name: string) => SecretRecord | null): void {
    const conflict = webSocketConflict(plan, secretOf);
    if (conflict === null) return;
    const entry = formatHostRule(conflict.rule);
    throw new CodedError(
      'invalid_request',
      `metadata.network: ${entry} is a host that ${conflict.secret} is bound to`,
      {
        hint: 'A host that a secret goes to can have no WebSocket. Declare it without wss://, or leave the secret out.',
      },
    );
  }

  async #askOwner(request: RequestRecord): Promise<IntakeAnswer> {
    const { reached } = await this.#deps.desk.open('run', request.id);
    const missing = this.#missingSecrets(request);
    return {
      httpStatus: 202,
      body: {
        status: 'pending',
        request_id: request.id,
        message: reachedMessage(reached),
        expires_at: isoTime(request.expiresAt),
        ...(missing.length > 0 && { missing_secrets: missing }),
      },
    };
  }

  #missingSecrets(request: RequestRecord): string[] {
    const manifest = this.#deps.manifests.get(request.manifestDigest);
    return (manifest?.secrets ?? []).filter((secret) => secret.secretId === null).map((secret) => secret.name);
  }

  async #runTrusted(request: RequestRecord, detached: boolean, signal: AbortSignal): Promise<IntakeAnswer> {
    const { waits, launcher, records } = this.#deps;
    const wait = { timeoutMs: detached ? 0 : synchronousWaitMs, signal, synchronous: true };
    // Before the run can end, so that its end finds somebody waiting.
    const ended = waits.until(request.id, wait);
    launcher.enqueue(request.id);
    await ended;
    return this.#answerAgain(records.request(request.id) ?? request);
  }

  /** A request that exists, in whatever state it is. */
  async #answerAgain(request: RequestRecord): Promise<IntakeAnswer> {
    const { records, clock } = this.#deps;
    switch (request.status) {
      case 'pending':
        return this.#askOwner(request);
      case 'approved':
      case 'running': {
        const waitsFor = this.#deps.launcher.waitsFor(request.id);
        const doing = waitsFor === null ? 'It runs' : `It runs as soon as it can: ${waitsFor}`;
        const message = `${doing}; fetch the result with GET /requests/${request.id}`;
        return { httpStatus: 202, body: { status: 'running', request_id: request.id, message } };
      }
      case 'success':
      case 'failed': {
        if (request.resultFetchedAt === null) records.markResultFetched(request.id, clock.wallMs());
        const body = finishedAnswer(request, request.status, records.result(request.id));
        return { httpStatus: 200, body };
      }
      case 'denied':
      case 'expired':
      case 'cancelled':
      case 'interrupted':
        return { httpStatus: 200, body: requestView(request, records, null) };
    }
  }
}

function tooManyCards({ pending, cancelled }: Readonly<{ pending: number; cancelled: number }>): CodedError {
  const waiting = `${pending} of your requests wait for the owner`;
  const takenBack = `${cancelled} that you cancelled count until they would have expired`;
  return new CodedError('rate_limited', cancelled === 0 ? `${waiting} already` : `${waiting} and ${takenBack}`, {
    hint: 'Wait for decisions, or for the requests to expire. Cancelling makes no room before that.',
    retryAfterSeconds: 60,
  });
}

function hashOf(body: ExecuteBody): string {
  try {
    return bodyHash(body);
  } catch {
    // Half a surrogate pair has no UTF-8, so it has no canonical form.
    throw new CodedError('invalid_request', 'The body holds text that is not valid Unicode');
  }
}

import type { Delivery, Principal, RequestState, Subject, TrustLevel } from '../../contract/states.ts';
import type { ArgsPolicy, Manifest, SecretPlaces } from './manifestTypes.ts';

/**
 * Rows as the house speaks of them, and the operations on them. `store/` implements `Records`; a room that needs some
 * of it declares `Pick<Records, ...>` as its port. Every operation that changes state is one transaction with its
 * audit event. Times are UTC milliseconds. Anything that cannot be written throws CodedError `storage_unavailable`.
 */
export type AgentRecord = Readonly<{
  id: string;
  name: string;
  tokenSha256: string;
  pausedAt: number | null;
  revokedAt: number | null;
  createdAt: number;
  lastSeenAt: number | null;
}>;

export type SecretRecord = Readonly<{
  id: string;
  name: string;
  version: number;
  delivery: Delivery;
  createdAt: number;
  updatedAt: number;
  lastUsedAt: number | null;
  binding: BindingRecord;
}>;

export type BindingRecord = Readonly<{
  revision: number;
  /** Host rules as text, `host` or `host:port`; empty: bound nowhere yet. */
  hosts: readonly string[];
  places: SecretPlaces;
  source: 'owner' | 'table';
}>;

/** A skill of an agent that ran with a secret, and when last. */
export type SecretUse = Readonly<{ secretId: string; agentId: string; skillId: string; runs: number; lastAt: number }>;

export type RequestRecord = Readonly<{
  id: string;
  agentId: string;
  skillId: string;
  status: RequestState;
  manifestDigest: string;
  trustKey: string;
  codeHash: string;
  idempotencyKey: string | null;
  /** SHA-256 of the canonical body, to tell a repeated key from a conflicting one. */
  bodyHash: string;
  createdAt: number;
  expiresAt: number;
  decidedAt: number | null;
  decision: TrustLevel | 'deny' | null;
  decidedBy: Principal | null;
  denyReason: string | null;
  startedAt: number | null;
  finishedAt: number | null;
  /** Approval row that allowed the run. */
  approvalId: string | null;
  /** True when a standing trust entry allowed it without a card. */
  trusted: boolean;
  /** Bindings confirmed on the card of this request only: secret name -> host rules as text. */
  requestBindings: Readonly<Record<string, readonly string[]>>;
  /** Reason of an end that is not a result: `failed` without a run, `interrupted`, `expired`. */
  error: Readonly<{ code: string; message: string }> | null;
  resultFetchedAt: number | null;
}>;

export type RunResult = Readonly<{
  stdout: string;
  stderr: string;
  exitCode: number | null;
  signal: string | null;
  durationMs: number;
  timedOut: boolean;
  truncated: boolean;
  redactions: number;
}>;

export type EgressRecord = Readonly<{
  requestId: string;
  at: number;
  method: string;
  host: string;
  port: number;
  path: string;
  status: number;
  bytesIn: number;
  bytesOut: number;
  durationMs: number;
  /** Names of the secrets that were put in. */
  secrets: readonly string[];
  /** Refusal code when nothing left. */
  refused: string | null;
  placeholderInBody: boolean;
}>;

export type TrustEntry = Readonly<{
  id: string;
  trustKey: string;
  agentId: string;
  skillId: string;
  codeHash: string;
  level: TrustLevel;
  argsPolicy: ArgsPolicy;
  principal: Principal;
  requestId: string;
  manifestDigest: string;
  approvedAt: number;
  /** null for `forever`. */
  expiresAt: number | null;
  revokedAt: number | null;
  suspendedAt: number | null;
  suspendReason: string | null;
  lastUsedAt: number | null;
  useCount: number;
}>;

export type AuditEvent = Readonly<{
  seq: number;
  at: number;
  actor: string;
  kind: string;
  requestId: string | null;
  payload: unknown;
  hash: string;
}>;

/** Newest or oldest first; every part that is given must hold. `kind` that ends in a dot or `.*` is a group of kinds. */
export type AuditFilter = Readonly<{
  agent?: string;
  skill?: string;
  secret?: string;
  host?: string;
  kind?: string;
  requestId?: string;
  /** Times in ms, both included. */
  since?: number;
  until?: number;
  /** Words that must all be in the event. */
  search?: string;
}>;

/** An event with what is still known about its request. */
export type AuditFound = AuditEvent & Readonly<{ agent: string | null; skill: string | null }>;

export type AuditCounts = Readonly<
  Record<'asked' | 'trusted' | 'approved' | 'denied' | 'expired' | 'succeeded' | 'failed', number>
>;

export type AuditVerdict = Readonly<{ ok: true; events: number } | { ok: false; brokenAtSeq: number; reason: string }>;

export type AuditInput = Readonly<{ actor: string; kind: string; requestId?: string; payload: unknown }>;

export type NewRequest = Readonly<{
  id: string;
  agentId: string;
  skillId: string;
  manifest: Manifest;
  manifestDigest: string;
  trustKey: string;
  code: Uint8Array;
  idempotencyKey: string | null;
  bodyHash: string;
  createdAt: number;
  expiresAt: number;
  /** Set when a standing entry allows it at once: the row starts as `approved`. */
  trust: Readonly<{ entryId: string; level: TrustLevel }> | null;
  /** Pending cap of the agent, checked in the same transaction. */
  pendingCap: number;
}>;

export type NewRequestResult =
  | Readonly<{ kind: 'created'; request: RequestRecord }>
  /** Same manifest of the same agent is pending, or same idempotency key with the same body. */
  | Readonly<{ kind: 'existing'; request: RequestRecord }>
  | Readonly<{ kind: 'conflict' }>
  /** `cancelled`: taken back by the agent and not yet past their time; they count like those that wait. */
  | Readonly<{ kind: 'over_cap'; pending: number; cancelled: number }>;

export type DecisionInput = Readonly<{
  requestId: string;
  /** The digest that was on the card; the row must still carry it. */
  manifestDigest: string;
  decision: TrustLevel | 'deny';
  principal: Principal;
  nowMs: number;
  denyReason?: string;
  /** With `deny`, which is final: text for the wake outbox. */
  wakeText?: string;
  approvalId: string;
  /**
   * 24h and forever only. `manifest`, `manifestDigest` and `trustKey` are the final ones (bindings kept, args policy
   * applied); `keepBindings` become owner bindings in the same transaction.
   */
  standing?: Readonly<{
    trustKey: string;
    argsPolicy: ArgsPolicy;
    expiresAt: number | null;
    manifest: Manifest;
    manifestDigest: string;
    keepBindings: readonly Readonly<{ secretId: string; hosts: readonly string[] }>[];
  }>;
}>;

export type DecisionWritten =
  | Readonly<{ kind: 'decided'; request: RequestRecord }>
  | Readonly<{ kind: 'ended'; request: RequestRecord }>
  | Readonly<{ kind: 'stale'; request: RequestRecord }>
  | Readonly<{ kind: 'unknown' }>;

export type FinishInput = Readonly<{
  requestId: string;
  status: 'success' | 'failed';
  nowMs: number;
  result: RunResult | null;
  error: Readonly<{ code: string; message: string }> | null;
  egress: readonly EgressRecord[];
  /** Text for the wake outbox, or null when the agent waits for a synchronous answer. */
  wakeText: string | null;
}>;

export type WakeItem = Readonly<{
  id: string;
  requestId: string;
  agentId: string;
  text: string;
  kind: 'final' | 'reminder';
  attempts: number;
  nextAt: number;
  createdAt: number;
}>;

export type CardRow = Readonly<{
  subject: Subject;
  subjectId: string;
  channel: string;
  reference: Readonly<Record<string, string | number>>;
}>;

/** One button that was put on a message: looked up by nonce, never by anything the presser can make up. */
export type NonceRow = Readonly<{
  nonce: string;
  subject: Subject;
  subjectId: string;
  revision: string;
  /** What pressing it means, channel's own words, for example `once`, `confirm_forever`, `back`, `add_secret:2`. */
  action: string;
}>;

export type PairingRecord = Readonly<{
  id: string;
  name: string;
  code: string;
  status: 'pending' | 'approved' | 'denied' | 'expired' | 'collected';
  createdAt: number;
  expiresAt: number;
  agentId: string | null;
}>;

export type Page = Readonly<{ limit: number; beforeSeq?: number }>;

export interface Records {
  /**
   * Several operations as one transaction, so that they wait for the disk once. A throw inside undoes all of them and
   * is thrown again.
   */
  together<Result>(work: () => Result): Result;

  // agents
  agentByTokenHash(sha256: string): AgentRecord | null;
  agent(id: string): AgentRecord | null;
  agentByName(name: string): AgentRecord | null;
  agents(): readonly AgentRecord[];
  /** CodedError `already_exists` when a live agent has the name. */
  addAgent(
    agent: Readonly<{ id: string; name: string; tokenSha256: string }>,
    actor: Principal,
    nowMs: number,
  ): AgentRecord;
  setAgentPaused(id: string, paused: boolean, actor: Principal, nowMs: number): void;
  rotateAgentToken(id: string, tokenSha256: string, actor: Principal, nowMs: number): void;
  /** Revokes the agent, its trust entries and its pending requests (-> cancelled); returns those request ids. */
  revokeAgent(id: string, actor: Principal, nowMs: number): readonly string[];
  touchAgent(id: string, nowMs: number): void;

  // secrets; values arrive encrypted (AES-256-GCM, AAD = id + name + version)
  secrets(): readonly SecretRecord[];
  secretByName(name: string): SecretRecord | null;
  encryptedSecret(id: string): Readonly<{ id: string; name: string; version: number; bytes: Uint8Array }> | null;
  addSecret(
    secret: Readonly<{
      id: string;
      name: string;
      encrypted: Uint8Array;
      delivery: Delivery;
      binding: Omit<BindingRecord, 'revision'>;
    }>,
    actor: Principal,
    nowMs: number,
  ): SecretRecord;
  /** New value, next version; bindings and trust stay (the caller decides about trust). */
  replaceSecretValue(id: string, encrypted: Uint8Array, actor: Principal, nowMs: number): SecretRecord;
  setSecretDelivery(id: string, delivery: Delivery, actor: Principal, nowMs: number): SecretRecord;
  /** Next binding revision. */
  setBinding(id: string, binding: Omit<BindingRecord, 'revision'>, actor: Principal, nowMs: number): SecretRecord;
  removeSecret(id: string, actor: Principal, nowMs: number): void;
  touchSecrets(ids: readonly string[], nowMs: number): void;
  /** What ran with which secret, of the newest `runs` runs; newest first for each secret. */
  secretUses(runs: number): readonly SecretUse[];

  // requests
  insertRequest(request: NewRequest): NewRequestResult;
  /** Same idempotency key of that agent, whatever became of it. */
  requestByIdempotencyKey(agentId: string, key: string): RequestRecord | null;
  request(id: string): RequestRecord | null;
  requests(
    filter: Readonly<{ status?: RequestState; agentId?: string; limit: number; beforeCreatedAt?: number }>,
  ): readonly RequestRecord[];
  /** Newest first, those in one of these states; `after`: id of a request, only what follows it in this order. */
  requestPage(
    statuses: readonly RequestState[],
    page: Readonly<{ agentId?: string; limit: number; after?: string }>,
  ): readonly RequestRecord[];
  pendingRequests(): readonly RequestRecord[];
  manifest(digest: string): Manifest | null;
  code(sha256: string): Uint8Array | null;
  result(requestId: string): RunResult | null;
  egressOf(requestId: string): readonly EgressRecord[];
  /** Pending only: the manifest changed because a secret or binding did. False when it is not pending any more. */
  replaceManifest(
    requestId: string,
    change: Readonly<{
      manifest: Manifest;
      manifestDigest: string;
      trustKey: string;
      requestBindings?: Readonly<Record<string, readonly string[]>>;
    }>,
    audit: AuditInput,
    nowMs: number,
  ): boolean;
  decide(input: DecisionInput): DecisionWritten;
  /** What the owner said to the last wishes of this agent, newest first; what trust let run is not among it. */
  latestDecisions(agentId: string, limit: number): readonly DecisionInput['decision'][];
  /** Pending -> cancelled by its agent. */
  cancelRequest(requestId: string, nowMs: number): 'cancelled' | 'not_pending';
  /** Pending and past their time -> expired; returns them. */
  expireRequests(nowMs: number, wakeText: (request: RequestRecord) => string): readonly RequestRecord[];
  extendRequest(requestId: string, expiresAt: number, actor: Principal, nowMs: number): boolean;
  /** Approved -> running, once, with its `executions` row. False when the row was not `approved`. */
  startRun(requestId: string, run: Readonly<{ runId: string; nowMs: number }>): boolean;
  finishRun(input: FinishInput): boolean;
  /** Approved -> failed without a run (engine gone, digest mismatch). */
  failApproved(
    requestId: string,
    error: Readonly<{ code: string; message: string }>,
    nowMs: number,
    wakeText: string | null,
  ): boolean;
  /** At start: approved or running -> interrupted; returns them. */
  interruptUnfinished(nowMs: number, wakeText: (request: RequestRecord) => string): readonly RequestRecord[];
  markResultFetched(requestId: string, nowMs: number): void;
  /** Latest approved request of this agent and skill, for "what is new". */
  lastApproved(agentId: string, skillId: string, exceptRequestId: string): RequestRecord | null;

  // trust
  liveTrust(trustKey: string, nowMs: number): TrustEntry | null;
  trustEntry(id: string): TrustEntry | null;
  trustEntries(): readonly TrustEntry[];
  everApproved(trustKey: string): boolean;
  touchTrust(id: string, nowMs: number): void;
  revokeTrust(id: string, actor: Principal, nowMs: number): boolean;
  revokeAllTrust(actor: Principal, nowMs: number): number;
  suspendTrust(id: string, reason: string, nowMs: number): boolean;
  /** Standing entries whose manifest names the secret. */
  trustUsingSecret(secretId: string): readonly TrustEntry[];

  // cards and their buttons
  saveCard(row: CardRow, nowMs: number): void;
  cards(subject: Subject, subjectId: string): readonly CardRow[];
  removeCards(subject: Subject, subjectId: string): void;
  saveNonces(rows: readonly NonceRow[], nowMs: number): void;
  nonce(nonce: string): NonceRow | null;
  removeNonces(subject: Subject, subjectId: string): void;

  // pairing
  addPairing(pairing: PairingRecord): void;
  pairing(id: string): PairingRecord | null;
  pendingPairings(): readonly PairingRecord[];
  /** Pending -> next; approving adds the agent in the same transaction. False when it was not pending. */
  decidePairing(
    id: string,
    next: 'approved' | 'denied' | 'expired',
    agent: Readonly<{ id: string; name: string; tokenSha256: string }> | null,
    actor: Principal,
    nowMs: number,
  ): boolean;
  collectPairing(id: string, tokenSha256: string, nowMs: number): boolean;

  // wake
  dueWakes(nowMs: number, limit: number): readonly WakeItem[];
  nextWakeAt(): number | null;
  wakeDelivered(id: string, nowMs: number, reminder: Readonly<{ at: number; text: string }> | null): void;
  wakeFailed(id: string, nextAt: number | null, nowMs: number): void;
  /** Nobody to wake, or the agent knows already: the row goes, and since nothing happened, nothing is audited. */
  wakeDropped(id: string): void;

  // audit, traffic, settings, retention
  appendAudit(input: AuditInput, nowMs: number): void;
  /** Newest first, all at once: for small questions. Whoever asks for the owner takes `auditSlices`. */
  audit(page: Page & AuditFilter): readonly AuditFound[];
  /** A page of the log in pieces of some ms; each yields what it found. */
  auditSlices(
    filter: AuditFilter,
    page: Readonly<{ order: 'newest' | 'oldest'; from: number | null; limit: number }>,
  ): Generator<readonly AuditFound[], void, void>;
  /** One event; null when there is none. */
  auditEvent(seq: number): AuditFound | null;
  /** What there is to filter by: values of one kind that begin so, in their order. */
  auditValues(facet: 'agent' | 'skill' | 'secret' | 'host' | 'kind', begins: string, limit: number): readonly string[];
  newestAuditSeq(): number;
  /** Brings the index to the end of the log, in pieces of some ms. What reads counts and waits calls it before. */
  auditCatchUp(): Generator<void, void, void>;
  /** Both times on a quarter of an hour. */
  auditCounts(fromMs: number, toMs: number): AuditCounts;
  /** Ms that decided requests waited, shortest first. */
  auditWaits(fromMs: number, toMs: number): readonly number[];
  verifyAudit(): AuditVerdict;
  /** The same in pieces of some ms; each yields how many events are checked. */
  verifyAuditSlices(): Generator<number, AuditVerdict, void>;
  eachAudit(): IterableIterator<AuditEvent>;
  setting(key: string): unknown;
  setSetting(key: string, value: unknown, actor: Principal, nowMs: number): void;
  /** Broker's own small state (Telegram update offset, last seen wall clock): not a setting, not audited. */
  state(key: string): string | null;
  setState(key: string, value: string): void;
  /** The owner's Telegram bot, sealed by the vault; null when none was set up in the window. */
  telegramSetup(): Readonly<{ version: number; sealed: Uint8Array }> | null;
  /** Keeps or, with null, forgets it, together with its audit event. */
  saveTelegramSetup(
    setup: Readonly<{ version: number; sealed: Uint8Array }> | null,
    event: AuditInput,
    nowMs: number,
  ): void;
  prune(limits: Readonly<{ resultsBefore: number; trafficBefore: number }>): void;
  health(): 'ok' | 'error';
}

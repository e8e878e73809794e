import type {
  AuditFacet,
  AuditFilter,
  AuditFormat,
  AuditProgress,
  AuditQuery,
  AuditValues,
  AuditVerdict,
  Statistics,
} from './audit.ts';
import type { Isolation, Runtime } from './runtime.ts';
import type {
  Exchanges,
  RunDetail,
  RunExchangesInput,
  RunPage,
  RunPulse,
  RunsInput,
  RunTextInput,
  TextRows,
} from './runView.ts';
import type { SettingKey, Settings } from './settings.ts';
import type { Delivery, Principal, RequestState, TrustLevel, VaultState } from './states.ts';
import type { TelegramActions } from './telegramView.ts';

/**
 * What the owner can do, each once. The window, the tray, Telegram and the CLI all call this and nothing else; there
 * is no approving here: decisions go through the desk. Views are JSON as the CLI prints it (snake_case, RFC 3339).
 * Everything may throw CodedError.
 */
export type AgentView = Readonly<{
  agent_id: string;
  name: string;
  status: 'active' | 'paused' | 'revoked';
  created_at: string;
  last_seen_at: string | null;
}>;

export type AgentCreated = Readonly<{ agent_id: string; name: string; token: string }>;

export type SecretView = Readonly<{
  name: string;
  delivery: Delivery;
  version: number;
  hosts: readonly string[];
  headers: readonly string[];
  query: readonly string[];
  path: boolean;
  /** Fields of a JSON body, as RFC 6901 pointers: `/auth/key`. */
  json: readonly string[];
  /** Fields of an URL-encoded form. */
  form: readonly string[];
  created_at: string;
  updated_at: string;
  last_used_at: string | null;
  /** Neither used nor changed for 30 days. */
  unused: boolean;
  /** What ran with it lately, newest first. */
  used_by: readonly Readonly<{ agent: string; skill_id: string; runs: number; last_at: string }>[];
}>;

export type SecretInput = Readonly<{
  name: string;
  value: string;
  hosts?: readonly string[];
  headers?: readonly string[];
  query?: readonly string[];
  path?: boolean;
  json?: readonly string[];
  form?: readonly string[];
  raw?: boolean;
  /** An existing name is refused without it. */
  replace?: boolean;
}>;

export type BindingInput = Readonly<{
  name: string;
  hosts: readonly string[];
  headers?: readonly string[];
  query?: readonly string[];
  path?: boolean;
  json?: readonly string[];
  form?: readonly string[];
}>;

export type TrustView = Readonly<{
  id: string;
  agent: string;
  skill_id: string;
  code_hash: string;
  trust_key: string;
  level: TrustLevel;
  args_policy: 'exact' | 'any';
  granted_by: string;
  granted_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  use_count: number;
  status: 'live' | 'expired' | 'revoked' | 'suspended';
  reason: string | null;
}>;

export type RequestRow = Readonly<{
  request_id: string;
  agent: string;
  skill_id: string;
  status: RequestState;
  created_at: string;
  expires_at: string;
  decided_at: string | null;
  decision: TrustLevel | 'deny' | null;
  decided_by: string | null;
  trusted: boolean;
  /** Why an approved request has not started yet, a sentence; null when nothing but its turn is missing. */
  waiting_for: string | null;
}>;

/** One request with everything that is kept of it; stdout and stderr are redacted already. */
export type RequestDetail = RequestRow &
  Readonly<{
    manifest: unknown;
    manifest_digest: string;
    code: string | null;
    result: unknown;
    error: Readonly<{ code: string; message: string }> | null;
    egress: readonly unknown[];
  }>;

export type AuditRow = Readonly<{
  seq: number;
  at: string;
  actor: string;
  kind: string;
  request_id: string | null;
  payload: unknown;
  hash: string;
  /** Of the request that it is about, or of the agent that it names; null when there is none or it was pruned. */
  agent: string | null;
  skill_id: string | null;
}>;

export type LocalServiceView = Readonly<{
  name: string;
  address: string;
  port: number | null;
  source: 'owner' | 'environment';
}>;

/** One runtime at one isolation level. `coming`: made when it is first needed, or being made (`busy`). */
export type SandboxView = Readonly<{
  runtime: Runtime;
  isolation: Isolation;
  state: 'ready' | 'busy' | 'coming' | 'unavailable';
  /** A sentence: how far it is, or what is missing. Empty when it is ready. */
  detail: string;
  /** What carries its runs: the id of an image, or `recipe:…` while there is none. */
  image: string;
}>;

export type StatusView = Readonly<{
  version: string;
  /** What it runs on, with versions: "Electron 45.4.1, Chromium 150.0.1.2, Node 24.1.0". */
  platform: string;
  url: string;
  data_dir: string;
  vault: VaultState;
  vault_slots: readonly string[];
  paused: boolean;
  waiting: number;
  running: number;
  default_runtime: Runtime;
  sandbox: Readonly<Record<Isolation, string>>;
  sandboxes: readonly SandboxView[];
  telegram: 'connected' | 'disconnected' | 'not_configured';
  database: 'ok' | 'error';
  /** Plain sentences: what is missing and how to add it. */
  notes: readonly string[];
  /** Plain sentences: what to know about the container engine in use. */
  engine_notes: readonly string[];
}>;

export interface OwnerActions {
  status(): Promise<StatusView>;

  agents(): readonly AgentView[];
  addAgent(principal: Principal, name: string): AgentCreated;
  pauseAgent(principal: Principal, name: string, paused: boolean): void;
  rotateAgent(principal: Principal, name: string): AgentCreated;
  revokeAgent(principal: Principal, name: string): void;

  secrets(): readonly SecretView[];
  addSecret(principal: Principal, input: SecretInput): SecretView;
  bindSecret(principal: Principal, input: BindingInput): SecretView;
  /** New value of an existing secret; `keepTrust` false revokes the trust entries that use it. */
  rotateSecret(principal: Principal, name: string, value: string, keepTrust: boolean): SecretView;
  removeSecret(principal: Principal, name: string): void;

  trust(): readonly TrustView[];
  revokeTrust(principal: Principal, id: string): void;
  revokeAllTrust(principal: Principal): number;

  requests(filter: Readonly<{ status?: RequestState; limit?: number }>): readonly RequestRow[];
  requestDetail(id: string): RequestDetail;
  /** What runs first, then what ended, newest first. */
  runs(input: RunsInput): RunPage;
  run(id: string): RunDetail;
  /** Only what changes while it is in flight. */
  runPulse(id: string): RunPulse;
  runText(input: RunTextInput): TextRows;
  runExchanges(input: RunExchangesInput): Exchanges;
  /** Nobody looks at a run any more: what was read of it is let go. */
  closeRun(): void;
  /** A harmless request of an agent of our own, to learn on; its card waits for the owner like any other. */
  sampleRequest(principal: Principal): Promise<Readonly<{ request_id: string }>>;
  /** Gives a waiting request more time, in minutes from now. */
  extendRequest(principal: Principal, id: string, minutes: number): void;
  killRun(principal: Principal, requestId: string): void;
  /** Name of the agent of this request when its last three decisions were denials and it is not paused; else null. */
  pauseOffer(requestId: string): string | null;

  /** Newest first. Looks as long as it takes to fill the page, but lets others have their turn. */
  audit(query: AuditQuery): Promise<readonly AuditRow[]>;
  auditEvent(seq: number): AuditRow;
  auditValues(facet: AuditFacet, begins: string): Promise<AuditValues>;
  /** `onProgress` is told now and then; an aborted one rejects with the signal's reason. */
  verifyAudit(onProgress?: (progress: AuditProgress) => void, signal?: AbortSignal): Promise<AuditVerdict>;
  /** Oldest first, in pieces of a file. */
  exportAudit(format: AuditFormat, filter?: AuditFilter): AsyncIterable<string>;
  /** The last `days` days of the owner's own time zone, today included, oldest first. */
  statistics(days: number): Promise<Statistics>;

  settings(): Settings;
  /** Keys whose value comes from the environment, for as long as the process lives. */
  environmentSettings(): readonly SettingKey[];
  setSetting(principal: Principal, key: SettingKey, value: unknown): void;

  /**
   * Makes what is missing for these runtimes (all if empty) at an isolation level and waits until each is ready or is
   * known not to be. `onStep` is told what is going on, a sentence each.
   */
  prepareSandboxes(
    runtimes: readonly Runtime[],
    isolation: Isolation,
    onStep: (sentence: string) => void,
  ): Promise<readonly SandboxView[]>;

  localServices(): readonly LocalServiceView[];
  addLocalService(principal: Principal, entry: string): LocalServiceView;
  removeLocalService(principal: Principal, name: string): void;

  /** First passphrase of an uninitialized vault, or unlocking of a locked one. */
  unlock(principal: Principal, passphrase: string): Promise<void>;
  lock(principal: Principal): void;
  /** Adds or replaces the passphrase slot of an unlocked vault. */
  setPassphrase(principal: Principal, passphrase: string): Promise<void>;

  pause(principal: Principal): void;
  resume(principal: Principal): void;
  /** Stops runs, revokes trust, pauses agents, locks the vault. */
  panic(
    principal: Principal,
  ): Promise<Readonly<{ runs_stopped: number; trust_revoked: number; agents_paused: number }>>;
  wakeTest(principal: Principal): Promise<Readonly<{ ok: boolean; detail: string }>>;

  /** Setting up the owner's bot; only the window does. */
  telegram(): TelegramActions;
}

import type { OwnerActions, StatusView } from '../../contract/owner.ts';
import type { Principal, VaultState } from '../../contract/states.ts';
import type { TelegramActions } from '../../contract/telegramView.ts';
import type { Clock } from '../core/clock.ts';
import { byWhom } from '../core/principal.ts';
import type { Records } from '../core/records.ts';
import type { RequestEvents, RunFollower, RunLauncher } from '../core/runPorts.ts';
import type { LocalServices } from '../net/localServices.ts';

export type OwnerRecords = Pick<
  Records,
  | 'agent'
  | 'agentByName'
  | 'agents'
  | 'addAgent'
  | 'setAgentPaused'
  | 'rotateAgentToken'
  | 'revokeAgent'
  | 'secrets'
  | 'secretByName'
  | 'secretUses'
  | 'addSecret'
  | 'replaceSecretValue'
  | 'setSecretDelivery'
  | 'setBinding'
  | 'removeSecret'
  | 'trustEntry'
  | 'trustEntries'
  | 'revokeTrust'
  | 'revokeAllTrust'
  | 'trustUsingSecret'
  | 'request'
  | 'requests'
  | 'requestPage'
  | 'extendRequest'
  | 'latestDecisions'
  | 'manifest'
  | 'code'
  | 'result'
  | 'egressOf'
  | 'auditSlices'
  | 'auditEvent'
  | 'auditValues'
  | 'newestAuditSeq'
  | 'auditCatchUp'
  | 'auditCounts'
  | 'auditWaits'
  | 'appendAudit'
  | 'verifyAuditSlices'
  | 'setting'
  | 'setSetting'
>;

/** What the owner side needs of the vault. Values go in here and never come out. */
export type OwnerVault = Readonly<{
  state(): VaultState;
  slots(): readonly string[];
  /** CodedError `vault_locked` unless it is unlocked. */
  encrypt(secret: Readonly<{ id: string; name: string; version: number }>, value: string): Uint8Array;
  /** First passphrase of an uninitialized vault, or unlocking; CodedError `wrong_passphrase`. */
  unlock(passphrase: string): Promise<void>;
  setPassphrase(passphrase: string): Promise<void>;
  lock(): void;
}>;

/** Facts about the rest of the house that only the status shows. */
export type StatusFacts = Pick<
  StatusView,
  | 'version'
  | 'platform'
  | 'url'
  | 'data_dir'
  | 'sandbox'
  | 'sandboxes'
  | 'telegram'
  | 'database'
  | 'notes'
  | 'engine_notes'
> &
  Readonly<{ waiting: number }>;

export type OwnerDeps = Readonly<{
  records: OwnerRecords;
  vault: OwnerVault;
  runs: Pick<RunLauncher, 'kill' | 'killAll' | 'counts' | 'waitsFor'> & RunFollower;
  events: Pick<RequestEvents, 'emitChanged'>;
  clock: Clock;
  random: (bytes: number) => Uint8Array;
  /** Pending requests that name this secret look at it again. */
  refreshForSecret: (name: string) => void;
  /** Tells the owner, without asking anything, that something now allows more than before. */
  notice: (text: string) => void;
  /** A pause or a setting changed: what waits may go on now, and the desktop looks at it again. */
  limitsChanged: () => void;
  statusFacts: () => Promise<StatusFacts>;
  prepareSandboxes: OwnerActions['prepareSandboxes'];
  wakeTest: () => ReturnType<OwnerActions['wakeTest']>;
  telegram: () => TelegramActions;
  /** From the environment: they win over the owner's own for the life of the process. */
  environmentServices: LocalServices;
}>;

/**
 * A change that widens what is possible is announced on every channel, so that a program of the same account cannot
 * make it silently. What the owner does in the window itself needs no echo.
 */
export function announce(deps: Pick<OwnerDeps, 'notice'>, principal: Principal, sentence: string): void {
  if (principal !== 'desktop') deps.notice(`${sentence} (${byWhom(principal)}).`);
}

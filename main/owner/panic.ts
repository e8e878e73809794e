import type { OwnerActions } from '../../contract/owner.ts';
import type { Principal } from '../../contract/states.ts';
import type { OwnerDeps } from './ports.ts';

const settingName = 'paused';

type PauseDeps = Pick<OwnerDeps, 'records' | 'clock'> & Readonly<{ changed: () => void }>;

/** Whether the owner has stopped everything new; survives a restart. Asked on every request, so it is kept in memory. */
export class PauseSwitch {
  readonly #deps: PauseDeps;
  #isPaused: boolean;

  constructor(deps: PauseDeps) {
    this.#deps = deps;
    this.#isPaused = deps.records.setting(settingName) === true;
  }

  isPaused(): boolean {
    return this.#isPaused;
  }

  set(paused: boolean, principal: Principal): void {
    if (this.#isPaused === paused) return;
    this.#deps.records.setSetting(settingName, paused, principal, this.#deps.clock.wallMs());
    this.#isPaused = paused;
    this.#deps.changed();
  }
}

type StopActions = Pick<OwnerActions, 'pause' | 'resume' | 'panic'>;

export function stopActions(deps: OwnerDeps, pauseSwitch: PauseSwitch): StopActions {
  const { records, runs, vault, clock } = deps;
  return {
    pause: (principal) => pauseSwitch.set(true, principal),

    resume(principal) {
      pauseSwitch.set(false, principal);
      deps.limitsChanged();
    },

    async panic(principal) {
      // What stops harm at once comes first: it must happen even if the database does not answer any more.
      const runsStopped = runs.killAll();
      vault.lock();
      const nowMs = clock.wallMs();
      const trustRevoked = records.revokeAllTrust(principal, nowMs);
      const active = records.agents().filter((agent) => agent.revokedAt === null && agent.pausedAt === null);
      for (const agent of active) records.setAgentPaused(agent.id, true, principal, nowMs);
      const outcome = { runs_stopped: runsStopped, trust_revoked: trustRevoked, agents_paused: active.length };
      records.appendAudit({ actor: principal, kind: 'panic', payload: outcome }, nowMs);
      deps.notice(
        `Panic: ${runsStopped} runs stopped, ${trustRevoked} trust entries revoked, ${active.length} agents paused, vault locked.`,
      );
      return outcome;
    },
  };
}

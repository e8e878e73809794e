import { agentTokenHash } from '../core/agentIdentity.ts';
import type { Clock } from '../core/clock.ts';
import type { AgentRecord, Records } from '../core/records.ts';
import { sameText } from '../core/sameText.ts';

// "Last seen" is for people; a write at every request would be for nothing.
const touchEveryMs = 60_000;

/** Knows an agent by its token. Unknown, malformed and revoked are one answer. */
export class AgentAuth {
  readonly #records: Pick<Records, 'agentByTokenHash' | 'touchAgent'>;
  readonly #clock: Clock;
  readonly #touchedAtMs = new Map<string, number>();

  constructor(records: Pick<Records, 'agentByTokenHash' | 'touchAgent'>, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
  }

  authenticate(token: string): AgentRecord | null {
    const hash = agentTokenHash(token);
    const agent = hash === null ? null : this.#records.agentByTokenHash(hash);
    if (hash === null || agent === null || agent.revokedAt !== null) return null;
    if (!sameText(hash, agent.tokenSha256)) return null;
    this.#touch(agent.id);
    return agent;
  }

  #touch(agentId: string): void {
    const nowMs = this.#clock.monotonicMs();
    const last = this.#touchedAtMs.get(agentId);
    if (last !== undefined && nowMs - last < touchEveryMs) return;
    this.#touchedAtMs.set(agentId, nowMs);
    this.#records.touchAgent(agentId, this.#clock.wallMs());
  }
}

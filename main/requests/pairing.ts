import { MAX_WAIT_SECONDS, type PairAnswer, type PairView } from '../../contract/bridge.ts';
import type { Card, CardOutcome } from '../../contract/card.ts';
import { CodedError } from '../../contract/errors.ts';
import type { DecisionResult, OwnerDecision, SubjectHandler } from '../approvals/channel.ts';
import { isAgentName, makeAgentToken } from '../core/agentIdentity.ts';
import { base62 } from '../core/base62.ts';
import type { Clock } from '../core/clock.ts';
import { makeId } from '../core/ids.ts';
import { makePairingCard } from '../core/pairingCard.ts';
import { byWhom } from '../core/principal.ts';
import type { PairingRecord, Records } from '../core/records.ts';
import { isoTime } from '../core/times.ts';
import { TokenBuckets } from '../core/tokenBucket.ts';
import { Arrivals } from './arrivals.ts';
import type { DeskPort, Random, SettingsPort } from './ports.ts';

export type PairingDeps = Readonly<{
  records: Pick<
    Records,
    | 'addPairing'
    | 'agent'
    | 'agentByName'
    | 'collectPairing'
    | 'decidePairing'
    | 'pairing'
    | 'pendingPairings'
    | 'revokeAgent'
  >;
  settings: SettingsPort;
  clock: Clock;
  random: Random;
  desk: Pick<DeskPort, 'open' | 'ended'>;
}>;

const lifetimeMs = 10 * 60_000;
const perHour = 3;

/** How a program becomes an agent: it asks, the owner compares a code, it fetches its token once. */
export class Pairing implements SubjectHandler {
  readonly subject = 'pairing';
  readonly #deps: PairingDeps;
  readonly #buckets = new TokenBuckets();
  readonly #decided = new Arrivals();

  constructor(deps: PairingDeps) {
    this.#deps = deps;
  }

  /** `POST /pair`. Throws CodedError `pairing_closed`, `invalid_request`, `rate_limited`. */
  async ask(name: string, fromLoopback: boolean): Promise<PairAnswer> {
    const { records, settings, clock, random } = this.#deps;
    if (!fromLoopback || !settings.get('pairing.open')) {
      throw new CodedError('pairing_closed', 'Pairing is closed', {
        hint: 'Ask the owner for a token: oauth3 agent add NAME',
      });
    }
    if (!isAgentName(name)) {
      throw new CodedError(
        'invalid_request',
        'name: 1 to 64 letters, digits, spaces or . _ @ -, and not a reserved word',
      );
    }
    const rate = { capacity: perHour, perMinute: perHour / 60 };
    const verdict = this.#buckets.take('', rate, clock.monotonicMs());
    if (!verdict.ok) {
      throw new CodedError('rate_limited', `At most ${perHour} pairings an hour`, {
        retryAfterSeconds: verdict.retryAfterSeconds,
      });
    }
    const createdAt = clock.wallMs();
    const pairing: PairingRecord = {
      id: makeId('pair', random),
      name,
      code: makeCode(random),
      status: 'pending',
      createdAt,
      expiresAt: createdAt + lifetimeMs,
      agentId: null,
    };
    records.addPairing(pairing);
    await this.#deps.desk.open('pairing', pairing.id);
    return { pairing_id: pairing.id, code: pairing.code, expires_at: isoTime(pairing.expiresAt) };
  }

  /** `GET /pair/:id`: waits for the decision; the first answer after an approval holds the token. */
  async collect(id: string, waitSeconds: number, signal: AbortSignal): Promise<PairView> {
    const timeoutMs = Math.min(waitSeconds, MAX_WAIT_SECONDS) * 1000;
    if (this.#find(id).status === 'pending') await this.#decided.until(id, timeoutMs, signal);
    const pairing = this.#find(id);
    const answer = { pairing_id: id, status: pairing.status } as const;
    if (pairing.status !== 'approved' || pairing.agentId === null) return answer;
    return this.#handOver(pairing, pairing.agentId, signal);
  }

  card(id: string): Card | null {
    const pairing = this.#deps.records.pairing(id);
    if (pairing?.status !== 'pending') return null;
    return makePairingCard(pairing, this.#deps.records.agentByName(pairing.name));
  }

  waiting(): readonly string[] {
    return this.#deps.records.pendingPairings().map((pairing) => pairing.id);
  }

  decide(decision: OwnerDecision): DecisionResult {
    const { records, random, clock } = this.#deps;
    this.sweep(clock.wallMs());
    const pairing = records.pairing(decision.id);
    if (pairing === null) return { ok: false, reason: 'unknown', text: 'There is no such pairing.' };
    if (pairing.status !== 'pending') return { ok: false, reason: 'ended', text: 'It was decided already.' };
    if (decision.verdict !== 'approve' && decision.verdict !== 'deny') {
      return { ok: false, reason: 'blocked', text: 'A pairing is approved or denied.' };
    }
    const approved = decision.verdict === 'approve';
    if (approved && records.agentByName(pairing.name) !== null) {
      return { ok: false, reason: 'blocked', text: 'An agent of this name exists. Revoke it first, or deny this.' };
    }
    // The token is made when it is handed over; until then the agent has a hash that no token leads to.
    const agent = { id: makeId('agt', random), name: pairing.name, tokenSha256: makeAgentToken(random).sha256 };
    const next = approved ? 'approved' : 'denied';
    if (!records.decidePairing(pairing.id, next, approved ? agent : null, decision.principal, clock.wallMs())) {
      return { ok: false, reason: 'ended', text: 'Its time is over.' };
    }
    this.#decided.announce(pairing.id);
    return { ok: true, outcome: outcomeOf(decision, approved) };
  }

  /** Ends pairings that were not answered in time; `nowMs` is UTC. */
  sweep(nowMs: number): void {
    const { records, desk } = this.#deps;
    for (const pairing of records.pendingPairings()) {
      if (pairing.expiresAt > nowMs) continue;
      if (!records.decidePairing(pairing.id, 'expired', null, 'broker', nowMs)) continue;
      this.#decided.announce(pairing.id);
      desk.ended('pairing', pairing.id, { kind: 'expired', text: 'Expired without an answer.' });
    }
  }

  /** Ends every wait. */
  close(): void {
    this.#decided.close();
  }

  #find(id: string): PairingRecord {
    const pairing = this.#deps.records.pairing(id);
    if (pairing === null) throw new CodedError('not_found', 'There is no such pairing');
    return pairing;
  }

  #handOver(pairing: PairingRecord, agentId: string, signal: AbortSignal): PairView {
    const { records, clock, random } = this.#deps;
    const nowMs = clock.wallMs();
    const live = records.agent(agentId)?.revokedAt === null;
    if (!live || nowMs > pairing.expiresAt + lifetimeMs) {
      // Nobody came for the token: the agent that was made for it must not stay.
      if (live) records.revokeAgent(agentId, 'broker', nowMs);
      return { pairing_id: pairing.id, status: 'expired' };
    }
    if (signal.aborted) return { pairing_id: pairing.id, status: 'approved' };
    const { token, sha256 } = makeAgentToken(random);
    if (!records.collectPairing(pairing.id, sha256, nowMs)) return { pairing_id: pairing.id, status: 'collected' };
    return { pairing_id: pairing.id, status: 'approved', agent_id: agentId, token };
  }
}

function outcomeOf(decision: OwnerDecision, approved: boolean): CardOutcome {
  const by = byWhom(decision.principal);
  return approved
    ? { kind: 'approved', verdict: 'approve', by, text: `Paired ${by}. It can now ask you to run code.` }
    : { kind: 'denied', verdict: 'deny', by, text: `Pairing denied ${by}.` };
}

/** Eight letters and digits in two groups: 47 bits, more than enough to compare for ten minutes. */
function makeCode(random: Random): string {
  const text = base62(random(16)).toUpperCase().slice(-8);
  return `${text.slice(0, 4)}-${text.slice(4)}`;
}

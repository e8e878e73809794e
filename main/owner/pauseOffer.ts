import type { OwnerActions } from '../../contract/owner.ts';
import type { OwnerDeps } from './ports.ts';

/** So many of an agent's wishes denied one after the other: it is not understood, or it does not give up. */
const denialsInARow = 3;

/** Whose requests the owner keeps denying: the agent of this one, when its newest decisions are all denials. */
export function pauseOffer({ records }: Pick<OwnerDeps, 'records'>): Pick<OwnerActions, 'pauseOffer'> {
  return {
    pauseOffer(requestId) {
      const agentId = records.request(requestId)?.agentId;
      const agent = agentId === undefined ? null : records.agent(agentId);
      if (agent === null || agent.pausedAt !== null || agent.revokedAt !== null) return null;
      const latest = records.latestDecisions(agent.id, denialsInARow);
      const all = latest.length === denialsInARow && latest.every((decision) => decision === 'deny');
      return all ? agent.name : null;
    },
  };
}

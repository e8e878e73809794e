import { CodedError } from '../../contract/errors.ts';
import type { AgentView, OwnerActions } from '../../contract/owner.ts';
import { isAgentName, makeAgentToken } from '../core/agentIdentity.ts';
import { makeId } from '../core/ids.ts';
import type { AgentRecord } from '../core/records.ts';
import { isoTime, isoTimeOrNull } from '../core/times.ts';
import { announce, type OwnerDeps } from './ports.ts';

function view(agent: AgentRecord): AgentView {
  return {
    agent_id: agent.id,
    name: agent.name,
    status: agent.revokedAt !== null ? 'revoked' : agent.pausedAt !== null ? 'paused' : 'active',
    created_at: isoTime(agent.createdAt),
    last_seen_at: isoTimeOrNull(agent.lastSeenAt),
  };
}

type AgentActions = Pick<OwnerActions, 'agents' | 'addAgent' | 'pauseAgent' | 'rotateAgent' | 'revokeAgent'>;

/** Callers of the bridge: a token is shown once, only its hash is kept. */
export function agentActions(deps: OwnerDeps): AgentActions {
  const { records, clock } = deps;

  /** By name or id; a revoked one counts only while no live agent has the name. */
  const find = (nameOrId: string): AgentRecord => {
    const agent = records.agentByName(nameOrId) ?? records.agent(nameOrId);
    if (agent === null) {
      throw new CodedError('not_found', `There is no agent ${JSON.stringify(nameOrId)}`, {
        hint: 'List them with: oauth3 agent list',
      });
    }
    if (agent.revokedAt !== null) {
      throw new CodedError('not_found', `The agent ${JSON.stringify(agent.name)} is revoked`, {
        hint: 'Add it again: it gets a new id and a new token.',
      });
    }
    return agent;
  };

  return {
    agents: () => records.agents().map(view),

    addAgent(principal, name) {
      if (!isAgentName(name)) {
        throw new CodedError(
          'invalid_request',
          'An agent name is 1 to 64 letters, digits, spaces or . _ @ - and not a word that means the app itself',
        );
      }
      const { token, sha256 } = makeAgentToken(deps.random);
      const id = makeId('agt', deps.random);
      const agent = records.addAgent({ id, name, tokenSha256: sha256 }, principal, clock.wallMs());
      announce(deps, principal, `The agent ${name} was added`);
      return { agent_id: agent.id, name: agent.name, token };
    },

    pauseAgent(principal, name, paused) {
      records.setAgentPaused(find(name).id, paused, principal, clock.wallMs());
    },

    rotateAgent(principal, name) {
      const agent = find(name);
      const { token, sha256 } = makeAgentToken(deps.random);
      records.rotateAgentToken(agent.id, sha256, principal, clock.wallMs());
      announce(deps, principal, `The agent ${agent.name} got a new token`);
      return { agent_id: agent.id, name: agent.name, token };
    },

    revokeAgent(principal, name) {
      const agent = find(name);
      const cancelled = records.revokeAgent(agent.id, principal, clock.wallMs());
      for (const status of ['approved', 'running'] as const) {
        for (const request of records.requests({ status, agentId: agent.id, limit: 1000 })) deps.runs.kill(request.id);
      }
      for (const id of cancelled) {
        const request = records.request(id);
        if (request !== null) deps.events.emitChanged(request);
      }
    },
  };
}

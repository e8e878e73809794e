import type { ExecuteBody } from '../../contract/bridge.ts';
import type { OwnerActions } from '../../contract/owner.ts';
import type { Runtime } from '../../contract/runtime.ts';
import { isFinal, type Principal } from '../../contract/states.ts';
import { makeAgentToken } from '../core/agentIdentity.ts';
import { makeId } from '../core/ids.ts';
import type { AgentRecord, RequestRecord } from '../core/records.ts';
import type { OwnerDeps } from './ports.ts';
import type { SettingsBook } from './settings.ts';

const agentName = 'sample';
const skillId = 'hello-from-your-sandbox';

const javascript = `// This is all that would run. It needs no secret and calls no host.
const greeting = 'Hello from your sandbox';
console.log(greeting + ': it is ' + new Date().toISOString() + ' in here.');
`;
const python = `# This is all that would run. It needs no secret and calls no host.
from datetime import datetime, timezone
print("Hello from your sandbox: it is " + datetime.now(timezone.utc).isoformat() + " in here.")
`;

const codeFor = (runtime: Runtime): string => (runtime === 'python' ? python : javascript);

export type SampleDeps = OwnerDeps &
  Readonly<{
    /** Stores a request of this agent as the bridge would and shows its card; answers its id. */
    ask: (agent: AgentRecord, body: ExecuteBody) => Promise<string>;
  }>;

/** A harmless request to learn on, from an agent whose token nobody ever holds. */
export function sampleActions(deps: SampleDeps, settings: SettingsBook): Pick<OwnerActions, 'sampleRequest'> {
  const { records, clock } = deps;
  const newAgent = (principal: Principal): AgentRecord => {
    const { sha256: tokenSha256 } = makeAgentToken(deps.random);
    const id = makeId('agt', deps.random);
    return records.addAgent({ id, name: agentName, tokenSha256 }, principal, clock.wallMs());
  };
  return {
    async sampleRequest(principal) {
      const known = records.agentByName(agentName);
      const agent = known !== null && known.revokedAt === null ? known : newAgent(principal);
      const description = 'Shows what a request looks like. Whatever you choose, nothing can go wrong.';
      const code = codeFor(settings.get('runtime.default') ?? 'quickjs');
      return { request_id: await deps.ask(agent, { skill_id: skillId, code, metadata: { description } }) };
    },
  };
}

/** The sample's agent goes with its request, whatever became of that: trust given to it would be of no use. */
export function endSample(
  owner: Pick<OwnerActions, 'revokeAgent'>,
  records: Pick<OwnerDeps['records'], 'agent'>,
): (request: RequestRecord) => void {
  return (request) => {
    if (request.skillId !== skillId || !isFinal(request.status)) return;
    const agent = records.agent(request.agentId);
    if (agent?.name === agentName && agent.revokedAt === null) owner.revokeAgent('broker', agent.id);
  };
}

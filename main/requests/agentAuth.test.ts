import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makeAgentToken } from '../core/agentIdentity.ts';
import type { AgentRecord } from '../core/records.ts';
import { AgentAuth } from './agentAuth.ts';

function house() {
  const { token, sha256 } = makeAgentToken(randomBytes);
  const agent: AgentRecord = {
    id: 'agt_1',
    name: 'home-agent',
    tokenSha256: sha256,
    pausedAt: null,
    revokedAt: null,
    createdAt: 0,
    lastSeenAt: null,
  };
  const world = { found: agent, monotonic: 0, touched: 0 };
  const auth = new AgentAuth(
    {
      agentByTokenHash: (hash) => (hash === sha256 ? world.found : null),
      touchAgent: () => {
        world.touched += 1;
      },
    },
    { wallMs: () => 0, monotonicMs: () => world.monotonic },
  );
  return { token, agent, auth, world };
}

describe('an agent', () => {
  it('is known by its token alone', () => {
    const { token, agent, auth } = house();
    expect(auth.authenticate(token)).toEqual(agent);
    expect(auth.authenticate(makeAgentToken(randomBytes).token)).toBeNull();
    expect(auth.authenticate(`${token}x`)).toBeNull();
  });

  it('is unknown once revoked, and when what was found has another hash', () => {
    const { token, agent, auth, world } = house();
    world.found = { ...agent, revokedAt: 1 };
    expect(auth.authenticate(token)).toBeNull();
    world.found = { ...agent, tokenSha256: 'f'.repeat(64) };
    expect(auth.authenticate(token)).toBeNull();
  });

  it('is noted as seen at most once a minute', () => {
    const { token, auth, world } = house();
    auth.authenticate(token);
    auth.authenticate(token);
    expect(world.touched).toBe(1);
    world.monotonic = 60_000;
    auth.authenticate(token);
    expect(world.touched).toBe(2);
  });
});

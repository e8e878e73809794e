import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  givenAgent,
  givenRequest,
  givenSecret,
  minute,
  sha256,
  standing,
  start,
  type TempStore,
  tempStore,
} from './fixtures.ts';
import type { Store } from './store.ts';

let temp: TempStore;
let store: Store;
beforeEach(() => {
  temp = tempStore();
  store = temp.current();
});
afterEach(() => temp.dispose());

const kinds = () => store.audit({ limit: 99 }).map(({ kind }) => kind);

describe('agents', () => {
  it('are found by token, id and name, also after a restart', () => {
    const added = store.addAgent({ id: 'agt_1', name: 'Robin', tokenSha256: sha256('token') }, 'cli', start);
    store = temp.reopen();
    expect(store.agentByTokenHash(sha256('token'))).toEqual(added);
    expect(store.agent('agt_1')).toEqual(added);
    expect(store.agentByName('Robin')).toEqual(added);
    expect(store.agentByTokenHash(sha256('other'))).toBeNull();
  });

  it('have names of their own while they live', () => {
    store.addAgent({ id: 'agt_1', name: 'Robin', tokenSha256: sha256('1') }, 'cli', start);
    const second = { id: 'agt_2', name: 'Robin', tokenSha256: sha256('2') };
    expect(() => store.addAgent(second, 'cli', start)).toThrow(expect.objectContaining({ code: 'already_exists' }));
    store.revokeAgent('agt_1', 'cli', start);
    expect(store.addAgent(second, 'cli', start).id).toBe('agt_2');
    expect(store.agents().map(({ id, revokedAt }) => [id, revokedAt])).toEqual([
      ['agt_1', start],
      ['agt_2', null],
    ]);
  });

  it('are paused, resumed and given a new token, each with its event', () => {
    const id = givenAgent(store);
    store.setAgentPaused(id, true, 'telegram:5', start + 1);
    expect(store.agent(id)?.pausedAt).toBe(start + 1);
    store.setAgentPaused(id, false, 'desktop', start + 2);
    expect(store.agent(id)?.pausedAt).toBeNull();
    store.rotateAgentToken(id, sha256('next'), 'desktop', start + 3);
    expect(store.agentByTokenHash(sha256('next'))?.id).toBe(id);
    expect(kinds()).toEqual(['agent.token_rotated', 'agent.resumed', 'agent.paused', 'agent.added']);
    expect(() => store.setAgentPaused('agt_none', true, 'cli', start)).toThrow(
      expect.objectContaining({ code: 'not_found' }),
    );
  });

  it('lose token, trust and pending requests when they are revoked; what others have stays', () => {
    const id = givenAgent(store);
    const [trusted, waiting, foreign] = [givenRequest(store, id), givenRequest(store, id), givenRequest(store)];
    store.decide(standing(store, trusted, 'forever'));
    const token = store.agent(id)?.tokenSha256 ?? '';
    expect(store.revokeAgent(id, 'cli', start + minute)).toEqual([waiting.id]);
    expect(store.agentByTokenHash(token)).toBeNull();
    expect(store.liveTrust(trusted.trustKey, start + minute)).toBeNull();
    expect(store.request(waiting.id)?.status).toBe('cancelled');
    expect(store.request(foreign.id)?.status).toBe('pending');
    expect(() => store.revokeAgent(id, 'cli', start)).toThrow(expect.objectContaining({ code: 'not_found' }));
  });

  it('were last seen when they were last touched', () => {
    const id = givenAgent(store);
    store.touchAgent(id, start + 5);
    expect(store.agents()[0]?.lastSeenAt).toBe(start + 5);
  });
});

describe('secrets', () => {
  it('keep their ciphertext, and no list shows it', () => {
    const encrypted = randomBytes(40);
    const secret = givenSecret(store, 'API_KEY', encrypted);
    store = temp.reopen();
    const stored = store.encryptedSecret(secret.id);
    expect(stored).toMatchObject({ id: secret.id, name: 'API_KEY', version: 1 });
    expect(Buffer.from(stored?.bytes ?? [])).toEqual(encrypted);
    expect(store.secrets()).toEqual([secret]);
    expect(JSON.stringify(store.secrets())).not.toContain('encrypted');
  });

  it('have names of their own', () => {
    givenSecret(store, 'API_KEY');
    expect(() => givenSecret(store, 'API_KEY')).toThrow(expect.objectContaining({ code: 'already_exists' }));
    expect(store.secrets()).toHaveLength(1);
  });

  it('count versions of the value and revisions of the binding apart', () => {
    const { id, binding } = givenSecret(store, 'API_KEY');
    expect(store.replaceSecretValue(id, randomBytes(40), 'cli', start + 1)).toMatchObject({
      version: 2,
      updatedAt: start + 1,
    });
    const next = {
      hosts: ['api.example.com:443'],
      places: { ...binding.places, headers: ['x-api-key'], json: ['/auth/key'], form: ['key'] },
      source: 'owner',
    } as const;
    expect(store.setBinding(id, next, 'cli', start + 2)).toMatchObject({
      version: 2,
      binding: { ...next, revision: 2 },
    });
    expect(store.setSecretDelivery(id, 'raw', 'desktop', start + 3)).toMatchObject({ delivery: 'raw', version: 2 });
    store.touchSecrets([id], start + 4);
    expect(store.secrets()[0]).toMatchObject({ lastUsedAt: start + 4, updatedAt: start + 3 });
    expect(kinds()).toEqual(['secret.delivery_set', 'secret.bound', 'secret.value_replaced', 'secret.added']);
    expect(store.audit({ limit: 10 }).find(({ kind }) => kind === 'secret.bound')?.payload).toMatchObject({
      hosts: next.hosts,
      places: next.places,
    });
  });

  it('are gone when they are removed, and a new one of that name starts afresh', () => {
    const { id } = givenSecret(store, 'API_KEY');
    store.removeSecret(id, 'desktop', start);
    expect(store.secretByName('API_KEY')).toBeNull();
    expect(store.encryptedSecret(id)).toBeNull();
    expect(() => store.removeSecret(id, 'desktop', start)).toThrow(expect.objectContaining({ code: 'not_found' }));
    expect(givenSecret(store, 'API_KEY')).toMatchObject({ version: 1, binding: { revision: 1 } });
  });
});

describe('pairing', () => {
  const pairing = {
    id: 'pair_1',
    name: 'Robin',
    code: '1234',
    status: 'pending',
    createdAt: start,
    expiresAt: start + 10 * minute,
    agentId: null,
  } as const;
  const agent = { id: 'agt_1', name: 'Robin', tokenSha256: sha256('unknown yet') };

  it('adds the agent when it is approved, and gives the token once', () => {
    store.addPairing(pairing);
    expect(store.pendingPairings()).toEqual([pairing]);
    expect(store.decidePairing('pair_1', 'approved', agent, 'desktop', start + minute)).toBe(true);
    expect(store.agentByName('Robin')?.id).toBe('agt_1');
    expect(store.collectPairing('pair_1', sha256('token'), start + minute)).toBe(true);
    expect(store.agentByTokenHash(sha256('token'))?.id).toBe('agt_1');
    expect(store.collectPairing('pair_1', sha256('second'), start + minute)).toBe(false);
    expect(store.agentByTokenHash(sha256('second'))).toBeNull();
    expect(store.pairing('pair_1')).toMatchObject({ status: 'collected', agentId: 'agt_1' });
  });

  it('is decided once and in time', () => {
    store.addPairing(pairing);
    expect(store.decidePairing('pair_1', 'approved', agent, 'desktop', pairing.expiresAt)).toBe(false);
    expect(store.decidePairing('pair_1', 'expired', null, 'broker', pairing.expiresAt)).toBe(true);
    expect(store.decidePairing('pair_1', 'denied', null, 'desktop', start)).toBe(false);
    expect(store.collectPairing('pair_1', sha256('token'), start)).toBe(false);
    expect(store.agents()).toEqual([]);
  });

  it('stays pending when its name is taken by then', () => {
    store.addPairing(pairing);
    givenAgent(store, 'Robin');
    expect(() => store.decidePairing('pair_1', 'approved', agent, 'desktop', start)).toThrow(
      expect.objectContaining({ code: 'already_exists' }),
    );
    expect(store.pairing('pair_1')?.status).toBe('pending');
  });
});

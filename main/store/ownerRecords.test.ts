import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  givenAgent,
  givenRequest,
  givenSecret,
  minute,
  nextId,
  once,
  sha256,
  someResult,
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
      places: { ...binding.places, headers: ['x-api-key'] },
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

describe('cards', () => {
  it('and their buttons are found again after a restart, until they are removed', () => {
    const card = {
      subject: 'run',
      subjectId: 'req_1',
      channel: 'telegram',
      reference: { chat: -100, message: 7 },
    } as const;
    const button = { nonce: 'n1', subject: 'run', subjectId: 'req_1', revision: 'r1', action: 'once' } as const;
    store.saveCard({ ...card, reference: { chat: 1 } }, start);
    store.saveCard(card, start);
    store.saveNonces([button, { ...button, nonce: 'n2', action: 'deny' }], start);
    store = temp.reopen();
    expect(store.cards('run', 'req_1')).toEqual([card]);
    expect(store.nonce('n1')).toEqual(button);
    expect(store.nonce('n3')).toBeNull();
    store.removeNonces('run', 'req_1');
    store.removeCards('run', 'req_1');
    expect(store.nonce('n2')).toBeNull();
    expect(store.cards('run', 'req_1')).toEqual([]);
  });
});

describe('the outbox', () => {
  function givenWake() {
    const request = givenRequest(store);
    store.decide(once(request));
    store.startRun(request.id, { runId: nextId('run'), nowMs: start });
    store.finishRun({
      requestId: request.id,
      status: 'success',
      nowMs: start,
      result: someResult,
      error: null,
      egress: [],
      wakeText: 'done',
    });
    const [wake] = store.dueWakes(start, 9);
    return { request, id: wake?.id ?? '' };
  }

  it('survives a restart and waits after a failure', () => {
    const { id } = givenWake();
    store = temp.reopen();
    expect(store.nextWakeAt()).toBe(start);
    store.wakeFailed(id, start + minute, start);
    expect(store.dueWakes(start, 9)).toEqual([]);
    expect(store.dueWakes(start + minute, 9)).toMatchObject([
      { id, attempts: 1, kind: 'final', nextAt: start + minute },
    ]);
    store.wakeFailed(id, null, start + minute);
    expect(store.nextWakeAt()).toBeNull();
    expect(kinds()[0]).toBe('wake.given_up');
  });

  it('reminds once, and not of a result that was fetched', () => {
    const first = givenWake();
    store.wakeDelivered(first.id, start, { at: start + 2 * minute, text: 'still there' });
    const [reminder] = store.dueWakes(start + 2 * minute, 9);
    expect(reminder).toMatchObject({ kind: 'reminder', text: 'still there', requestId: first.request.id });
    store.markResultFetched(first.request.id, start + minute);
    expect(store.nextWakeAt()).toBeNull();
    expect(store.request(first.request.id)?.resultFetchedAt).toBe(start + minute);

    const second = givenWake();
    store.markResultFetched(second.request.id, start);
    store.wakeDelivered(second.id, start, { at: start + 2 * minute, text: 'still there' });
    expect(store.nextWakeAt()).toBeNull();
  });

  it('drops what nobody needs, and says nothing of it in the audit', () => {
    const { id } = givenWake();
    const before = kinds();
    store.wakeDropped(id);
    expect(store.nextWakeAt()).toBeNull();
    expect(kinds()).toEqual(before);
  });

  it('takes an answer about something it no longer holds for what it is', () => {
    store.wakeDelivered('wak_none', start, null);
    store.wakeFailed('wak_none', null, start);
    expect(store.nextWakeAt()).toBeNull();
  });
});

describe('settings', () => {
  it('keep any JSON value, with an event; the state of the broker has none', () => {
    expect(store.setting('approval.expires_minutes')).toBeUndefined();
    store.setSetting('approval.expires_minutes', 45, 'cli', start);
    store.setSetting('runtime.default', 'deno', 'cli', start);
    store.setSetting('runtime.default', null, 'cli', start);
    store.setState('telegram.offset', '12');
    store.setState('telegram.offset', '13');
    store = temp.reopen();
    expect(store.setting('approval.expires_minutes')).toBe(45);
    expect(store.setting('runtime.default')).toBeNull();
    expect(store.state('telegram.offset')).toBe('13');
    expect(store.state('none')).toBeNull();
    expect(kinds().filter((kind) => kind === 'setting.changed')).toHaveLength(3);
  });
});

describe('pruning', () => {
  it('forgets results, traffic and what never ran, keeps what ran with its code, and leaves the log whole', () => {
    const ran = givenRequest(store);
    store.decide(once(ran));
    store.startRun(ran.id, { runId: 'run_1', nowMs: start });
    const egress = {
      requestId: ran.id,
      at: start,
      method: 'GET',
      host: 'a.example',
      port: 443,
      path: '/',
      status: 200,
      bytesIn: 1,
      bytesOut: 1,
      durationMs: 1,
      secrets: [],
      refused: null,
      placeholderInBody: false,
    };
    store.finishRun({
      requestId: ran.id,
      status: 'success',
      nowMs: start,
      result: someResult,
      error: null,
      egress: [egress],
      wakeText: null,
    });
    const cancelled = givenRequest(store, givenAgent(store), { idempotencyKey: 'k' });
    store.cancelRequest(cancelled.id, start);
    const waiting = givenRequest(store);

    store.prune({ resultsBefore: start, trafficBefore: start });
    expect(store.result(ran.id)).toEqual(someResult);
    expect(store.egressOf(ran.id)).toHaveLength(1);
    expect(store.request(cancelled.id)).not.toBeNull();

    store.prune({ resultsBefore: start + 1, trafficBefore: start + 1 });
    expect(store.result(ran.id)).toBeNull();
    expect(store.egressOf(ran.id)).toEqual([]);
    expect(store.request(ran.id)?.status).toBe('success');
    expect(store.code(ran.codeHash)).not.toBeNull();
    expect(store.request(cancelled.id)).toBeNull();
    expect(store.code(cancelled.codeHash)).toBeNull();
    expect(store.manifest(cancelled.manifestDigest)).toBeNull();
    expect(store.code(waiting.codeHash)).not.toBeNull();
    expect(store.manifest(waiting.manifestDigest)).not.toBeNull();
    expect(store.verifyAudit()).toMatchObject({ ok: true });
  });

  it('keeps code that two requests share while one of them is there', () => {
    const one = givenRequest(store);
    const manifest = store.manifest(one.manifestDigest);
    store.cancelRequest(one.id, start);
    const two = givenRequest(store, one.agentId, { manifestDigest: one.manifestDigest, ...(manifest && { manifest }) });
    store.prune({ resultsBefore: start + 1, trafficBefore: start });
    expect(store.request(one.id)).toBeNull();
    expect(store.code(two.codeHash)).not.toBeNull();
    expect(store.manifest(two.manifestDigest)).not.toBeNull();
  });
});

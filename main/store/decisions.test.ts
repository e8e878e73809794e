import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  deny,
  givenAgent,
  givenRequest,
  givenSecret,
  manifestOf,
  minute,
  nextId,
  once,
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

describe('a decision', () => {
  it('approves once: the request, its approval and the event are there after a restart, and nothing stands', () => {
    const request = givenRequest(store);
    const input = once(request, { principal: 'telegram:42' });
    expect(store.decide(input)).toMatchObject({
      kind: 'decided',
      request: { status: 'approved', decision: 'once', decidedBy: 'telegram:42', approvalId: input.approvalId },
    });
    store = temp.reopen();
    expect(store.request(request.id)).toMatchObject({ status: 'approved', decidedAt: input.nowMs });
    expect(store.liveTrust(request.trustKey, input.nowMs)).toBeNull();
    expect(store.trustEntries()).toEqual([]);
    expect(store.everApproved(request.trustKey)).toBe(true);
    expect(store.audit({ limit: 1 })[0]).toMatchObject({
      actor: 'telegram:42',
      kind: 'request.approved',
      requestId: request.id,
    });
  });

  it('denies with its reason, wakes the agent, and is no approval', () => {
    const request = givenRequest(store);
    expect(store.decide({ ...deny(request), wakeText: 'was denied' })).toMatchObject({
      kind: 'decided',
      request: {
        status: 'denied',
        decision: 'deny',
        denyReason: 'not now',
        approvalId: null,
        finishedAt: start + minute,
      },
    });
    expect(store.everApproved(request.trustKey)).toBe(false);
    expect(store.dueWakes(start + minute, 9)).toMatchObject([
      { requestId: request.id, text: 'was denied', kind: 'final' },
    ]);
  });

  it('is told of an agent newest first, of no other agent, and not what trust let run', () => {
    const decided = (agentId: string, decide: typeof once): void => {
      const request = givenRequest(store, agentId);
      store.decide(decide(request));
    };
    const [robin, kit] = [givenAgent(store), givenAgent(store)];
    decided(robin, once);
    decided(robin, deny);
    decided(kit, once);
    expect(store.latestDecisions(robin, 9)).toEqual(['deny', 'once']);
    expect(store.latestDecisions(robin, 1)).toEqual(['deny']);
    expect(store.latestDecisions(kit, 9)).toEqual(['once']);
  });

  it('counts once: the second one, from any channel, is told how it ended', () => {
    const request = givenRequest(store);
    expect(store.decide(once(request)).kind).toBe('decided');
    for (const late of [once(request, { principal: 'telegram:7' }), deny(request), standing(store, request)]) {
      expect(store.decide(late)).toMatchObject({
        kind: 'ended',
        request: { status: 'approved', decision: 'once', decidedBy: 'desktop' },
      });
    }
    expect(store.audit({ limit: 99, kind: 'request.approved' })).toHaveLength(1);
  });

  it('is void when the card showed another digest, or none such request exists', () => {
    const request = givenRequest(store);
    expect(store.decide(once(request, { manifestDigest: sha256('other') })).kind).toBe('stale');
    expect(store.decide(once(request, { requestId: 'req_none' })).kind).toBe('unknown');
    expect(store.request(request.id)?.status).toBe('pending');
  });

  it('comes too late when the time is over, even before the timer has come by', () => {
    const request = givenRequest(store);
    const nowMs = request.expiresAt;
    expect(store.decide(once(request, { nowMs }))).toMatchObject({ kind: 'ended', request: { status: 'expired' } });
    expect(store.expireRequests(nowMs, () => 'over')).toMatchObject([{ id: request.id, status: 'expired' }]);
    expect(store.decide(once(request, { nowMs: start })).kind).toBe('ended');
  });

  it('leaves no trace when it cannot be written whole', () => {
    const first = givenRequest(store);
    const second = givenRequest(store);
    const input = once(first);
    store.decide(input);
    expect(() => store.decide(once(second, { approvalId: input.approvalId }))).toThrow();
    expect(store.request(second.id)).toMatchObject({ status: 'pending', decidedAt: null });
    expect(store.decide(once(second)).kind).toBe('decided');
  });
});

describe('a standing decision', () => {
  it.each(['24h', 'forever'] as const)('%s gives a live trust entry', (level) => {
    const request = givenRequest(store);
    const input = standing(store, request, level);
    store.decide(input);
    store = temp.reopen();
    expect(store.liveTrust(request.trustKey, start + 2 * minute)).toMatchObject({
      id: input.approvalId,
      level,
      agentId: request.agentId,
      skillId: 'weather',
      codeHash: request.codeHash,
      requestId: request.id,
      principal: 'desktop',
      useCount: 0,
    });
  });

  it('replaces the manifest by the final one and keeps the bindings that the card confirmed', () => {
    const agentId = givenAgent(store);
    const request = givenRequest(store, agentId);
    const secret = givenSecret(store, 'API_KEY');
    const manifest = manifestOf(agentId, 'x', { code: { sha256: request.codeHash, length: 1 } });
    const input = once(request, {
      decision: 'forever',
      standing: {
        trustKey: sha256('final key'),
        argsPolicy: 'any',
        expiresAt: null,
        manifest,
        manifestDigest: sha256('final'),
        keepBindings: [{ secretId: secret.id, hosts: ['api.example.com:443'] }],
      },
    });
    expect(store.decide(input)).toMatchObject({
      kind: 'decided',
      request: { manifestDigest: sha256('final'), trustKey: sha256('final key') },
    });
    expect(store.manifest(sha256('final'))).toEqual(manifest);
    expect(store.liveTrust(sha256('final key'), start + minute)).toMatchObject({
      argsPolicy: 'any',
      manifestDigest: sha256('final'),
    });
    expect(store.secretByName('API_KEY')?.binding).toMatchObject({
      revision: 2,
      hosts: ['api.example.com:443'],
      source: 'owner',
    });
  });

  it('keeps nothing of it when one binding cannot be kept', () => {
    const request = givenRequest(store);
    const { standing: whole } = standing(store, request);
    if (whole === undefined) {
      throw new Error('no fixture');
    }
    const broken = { ...whole, keepBindings: [{ secretId: 'sec_gone', hosts: ['a.example'] }] };
    expect(() => store.decide(once(request, { decision: '24h', standing: broken }))).toThrow(
      expect.objectContaining({ code: 'not_found' }),
    );
    expect(store.request(request.id)?.status).toBe('pending');
    expect(store.trustEntries()).toEqual([]);
  });

  it('takes the place of an earlier one for the same trust key', () => {
    const agentId = givenAgent(store);
    const trustKey = sha256('same');
    const [first, second] = [1, 2].map(() => givenRequest(store, agentId, { trustKey }));
    if (first === undefined || second === undefined) {
      throw new Error('no fixture');
    }
    store.decide(standing(store, first));
    const replacing = standing(store, second, 'forever');
    store.decide(replacing);
    expect(store.liveTrust(trustKey, start + 2 * minute)?.id).toBe(replacing.approvalId);
    expect(store.trustEntries().filter(({ revokedAt }) => revokedAt === null)).toHaveLength(1);
  });

  it('is refused while the vault is locked, because trust without a seal is none', () => {
    const request = givenRequest(store);
    store.setMacKey(null);
    expect(() => store.decide(standing(store, request))).toThrow(expect.objectContaining({ code: 'vault_locked' }));
    expect(store.request(request.id)?.status).toBe('pending');
    expect(store.decide(once(request)).kind).toBe('decided');
  });
});

describe('a pending request', () => {
  it('expires at its time, once, and its agent is woken', () => {
    const [soon, later] = [1, 2].map((n) => givenRequest(store, givenAgent(store), { expiresAt: start + n * minute }));
    expect(store.expireRequests(start, () => '')).toEqual([]);
    expect(
      store.expireRequests(start + minute, (request) => `${request.status} ${request.id}`).map(({ id }) => id),
    ).toEqual([soon?.id]);
    expect(store.dueWakes(start + minute, 9).map(({ text }) => text)).toEqual([`expired ${soon?.id}`]);
    expect(store.expireRequests(start + minute, () => '')).toEqual([]);
    expect(store.request(later?.id ?? '')?.status).toBe('pending');
  });

  it('can be given more time while it has some left', () => {
    const request = givenRequest(store);
    expect(store.extendRequest(request.id, start + 60 * minute, 'desktop', start)).toBe(true);
    expect(store.expireRequests(start + 31 * minute, () => '')).toEqual([]);
    expect(store.extendRequest(request.id, start + 99 * minute, 'desktop', start + 60 * minute)).toBe(false);
    expect(store.extendRequest(nextId('req'), start + 60 * minute, 'desktop', start)).toBe(false);
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  givenAgent,
  givenRequest,
  manifestOf,
  minute,
  nextId,
  once,
  requestOf,
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

describe('a new request', () => {
  it('is pending, with its manifest, its code and its audit event, and is all there after a restart', () => {
    const wanted = requestOf(givenAgent(store), {}, 'console.log(1)');
    const written = store.insertRequest(wanted);
    expect(written.kind).toBe('created');
    store = temp.reopen();
    const request = store.request(wanted.id);
    expect(request).toMatchObject({
      status: 'pending',
      trusted: false,
      decision: null,
      manifestDigest: wanted.manifestDigest,
    });
    expect(store.manifest(wanted.manifestDigest)).toEqual(wanted.manifest);
    expect(Buffer.from(store.code(wanted.manifest.code.sha256) ?? []).toString()).toBe('console.log(1)');
    expect(store.audit({ limit: 9, requestId: wanted.id }).map(({ kind }) => kind)).toEqual(['request.created']);
    expect(store.pendingRequests()).toEqual([request]);
  });

  it('is what insertRequest returned, field by field', () => {
    const written = store.insertRequest(requestOf(givenAgent(store)));
    expect(written.kind === 'created' && store.request(written.request.id)).toEqual(
      written.kind === 'created' && written.request,
    );
  });

  it('keeps code as bytes, whatever they are', () => {
    const agentId = givenAgent(store);
    const code = Buffer.from([0, 255, 13, 10, 0xef, 0xbb, 0xbf]);
    const manifest = manifestOf(agentId, 'x', { code: { sha256: sha256(code), length: code.length } });
    store.insertRequest(requestOf(agentId, { manifest, code }));
    expect(Buffer.from(store.code(sha256(code)) ?? [])).toEqual(code);
  });

  it('is the same request while the same manifest of the same agent is pending', () => {
    const agentId = givenAgent(store);
    const first = givenRequest(store, agentId);
    const manifest = store.manifest(first.manifestDigest) ?? undefined;
    const again = requestOf(agentId, { manifestDigest: first.manifestDigest, ...(manifest && { manifest }) });
    expect(store.insertRequest(again)).toEqual({ kind: 'existing', request: first });
    const other = requestOf(givenAgent(store), { manifestDigest: first.manifestDigest, ...(manifest && { manifest }) });
    expect(store.insertRequest(other).kind).toBe('created');
    store.cancelRequest(first.id, start);
    expect(store.insertRequest({ ...again, id: nextId('req') }).kind).toBe('created');
  });

  it('is refused over the pending cap of its agent, and fits again when one ended', () => {
    const agentId = givenAgent(store);
    const [first] = [1, 2].map(() => givenRequest(store, agentId, { pendingCap: 2 }));
    expect(store.insertRequest(requestOf(agentId, { pendingCap: 2 }))).toEqual({
      kind: 'over_cap',
      pending: 2,
      cancelled: 0,
    });
    expect(store.insertRequest(requestOf(givenAgent(store), { pendingCap: 2 })).kind).toBe('created');
    store.decide(once(first ?? givenRequest(store)));
    expect(store.insertRequest(requestOf(agentId, { pendingCap: 2 })).kind).toBe('created');
  });

  it('keeps its place under the cap when its agent cancelled it, until it would have expired', () => {
    const agentId = givenAgent(store);
    givenRequest(store, agentId, { pendingCap: 2 });
    store.cancelRequest(givenRequest(store, agentId, { pendingCap: 2 }).id, start);
    const end = start + 30 * minute;
    const later = (createdAt: number) =>
      requestOf(agentId, { createdAt, expiresAt: createdAt + minute, pendingCap: 2 });
    expect(store.insertRequest(later(end - 1))).toEqual({ kind: 'over_cap', pending: 1, cancelled: 1 });
    expect(store.insertRequest(requestOf(givenAgent(store), { pendingCap: 2 })).kind).toBe('created');
    expect(store.insertRequest(later(end)).kind).toBe('created');
  });

  it('leaves nothing behind when it is refused', () => {
    const agentId = givenAgent(store);
    givenRequest(store, agentId, { pendingCap: 1 });
    const refused = requestOf(agentId, { pendingCap: 1 });
    store.insertRequest(refused);
    expect(store.manifest(refused.manifestDigest)).toBeNull();
    expect(store.code(refused.manifest.code.sha256)).toBeNull();
    expect(store.audit({ limit: 99 }).filter(({ requestId }) => requestId === refused.id)).toEqual([]);
  });
});

describe('an idempotency key', () => {
  it('gives the same request for the same body, whatever became of it', () => {
    const agentId = givenAgent(store);
    const first = givenRequest(store, agentId, { idempotencyKey: 'k' });
    store.cancelRequest(first.id, start);
    const again = store.insertRequest(requestOf(agentId, { idempotencyKey: 'k' }));
    expect(again).toMatchObject({ kind: 'existing', request: { id: first.id, status: 'cancelled' } });
    expect(store.requestByIdempotencyKey(agentId, 'k')?.id).toBe(first.id);
  });

  it('conflicts with another body, and belongs to one agent', () => {
    const agentId = givenAgent(store);
    givenRequest(store, agentId, { idempotencyKey: 'k' });
    const other = requestOf(agentId, { idempotencyKey: 'k', bodyHash: sha256('other') });
    expect(store.insertRequest(other)).toEqual({ kind: 'conflict' });
    expect(store.insertRequest(requestOf(givenAgent(store), { idempotencyKey: 'k' })).kind).toBe('created');
    expect(store.requestByIdempotencyKey(agentId, 'unknown')).toBeNull();
  });

  it('sticks to the pending request that it was answered with', () => {
    const agentId = givenAgent(store);
    const first = givenRequest(store, agentId);
    const manifest = store.manifest(first.manifestDigest);
    const keyed = requestOf(agentId, {
      manifestDigest: first.manifestDigest,
      idempotencyKey: 'k',
      ...(manifest && { manifest }),
    });
    expect(store.insertRequest(keyed)).toMatchObject({ kind: 'existing', request: { id: first.id } });
    store.cancelRequest(first.id, start);
    expect(store.insertRequest({ ...keyed, id: nextId('req') })).toMatchObject({
      kind: 'existing',
      request: { id: first.id },
    });
  });
});

describe('a request that a trust entry covers', () => {
  it('starts approved, without a card, by that entry', () => {
    const agentId = givenAgent(store);
    const first = givenRequest(store, agentId);
    store.decide(standing(store, first));
    const entry = store.liveTrust(first.trustKey, start + 2 * minute);
    const next = requestOf(agentId, {
      trustKey: first.trustKey,
      createdAt: start + 2 * minute,
      trust: entry && { entryId: entry.id, level: entry.level },
      pendingCap: 1,
    });
    expect(store.insertRequest(next)).toMatchObject({
      kind: 'created',
      request: { status: 'approved', trusted: true, decision: '24h', decidedBy: 'desktop', approvalId: entry?.id },
    });
    expect(store.audit({ limit: 1 })[0]).toMatchObject({ kind: 'request.trusted', payload: { trust_id: entry?.id } });
  });

  it('asks the owner when the entry ended between the look and the write', () => {
    const agentId = givenAgent(store);
    const first = givenRequest(store, agentId);
    store.decide(standing(store, first));
    const entry = store.liveTrust(first.trustKey, start + 2 * minute);
    const trust = entry && { entryId: entry.id, level: entry.level };
    const expired = requestOf(agentId, { trustKey: first.trustKey, trust, createdAt: start + 25 * 60 * minute });
    expect(store.insertRequest(expired)).toMatchObject({
      kind: 'created',
      request: { status: 'pending', trusted: false },
    });
    store.revokeTrust(entry?.id ?? '', 'desktop', start + 3 * minute);
    const revoked = requestOf(agentId, { trustKey: first.trustKey, trust, createdAt: start + 4 * minute });
    expect(store.insertRequest(revoked)).toMatchObject({
      kind: 'created',
      request: { status: 'pending', trusted: false },
    });
  });

  it('is not let through by the name of an entry that is not the live one', () => {
    const first = givenRequest(store);
    store.decide(standing(store, first));
    const trust = { entryId: 'apr_other', level: '24h' } as const;
    const next = requestOf(first.agentId, { trustKey: first.trustKey, trust, createdAt: start + 2 * minute });
    expect(store.insertRequest(next)).toMatchObject({ kind: 'created', request: { status: 'pending' } });
  });

  it('is not let through by an entry of another agent or another trust key', () => {
    const first = givenRequest(store);
    store.decide(standing(store, first));
    const entry = store.liveTrust(first.trustKey, start + 2 * minute);
    const trust = entry && { entryId: entry.id, level: entry.level };
    const createdAt = start + 2 * minute;
    const stranger = requestOf(givenAgent(store), { trustKey: first.trustKey, trust, createdAt });
    expect(store.insertRequest(stranger)).toMatchObject({ request: { status: 'pending' } });
    const otherKey = requestOf(first.agentId, { trust, createdAt });
    expect(store.insertRequest(otherKey)).toMatchObject({ request: { status: 'pending' } });
  });
});

describe('a pending request whose manifest changes', () => {
  it('carries the new digest, trust key and bindings, and an old card is stale', () => {
    const request = givenRequest(store);
    const manifest = manifestOf(request.agentId, 'x', {
      code: { sha256: request.codeHash, length: 1 },
      skillId: 'weather',
    });
    const change = {
      manifest,
      manifestDigest: sha256('new'),
      trustKey: sha256('key'),
      requestBindings: { KEY: ['api.example.com'] },
    };
    const event = { actor: 'desktop', kind: 'request.manifest_changed', payload: { why: 'secret added' } };
    expect(store.replaceManifest(request.id, change, event, start)).toBe(true);
    expect(store.request(request.id)).toMatchObject({
      manifestDigest: sha256('new'),
      trustKey: sha256('key'),
      requestBindings: { KEY: ['api.example.com'] },
    });
    expect(store.decide(once(request))).toMatchObject({ kind: 'stale', request: { status: 'pending' } });
    expect(store.audit({ limit: 1 })[0]).toMatchObject({ kind: 'request.manifest_changed', requestId: request.id });
  });

  it('cannot change once it is decided', () => {
    const request = givenRequest(store);
    store.decide(once(request));
    const manifest = manifestOf(request.agentId, 'x', { code: { sha256: request.codeHash, length: 1 } });
    const change = { manifest, manifestDigest: sha256('new'), trustKey: sha256('key') };
    expect(store.replaceManifest(request.id, change, { actor: 'cli', kind: 'k', payload: {} }, start)).toBe(false);
    expect(store.manifest(sha256('new'))).toBeNull();
  });
});

describe('looking for requests', () => {
  it('lists newest first, by state, by agent and page by page', () => {
    const agentId = givenAgent(store);
    const [a, b, c] = [0, 1, 2].map((at) => givenRequest(store, agentId, { createdAt: start + at }));
    givenRequest(store, givenAgent(store), { createdAt: start + 3 });
    store.cancelRequest(b?.id ?? '', start);
    const ids = (list: readonly { id: string }[]) => list.map(({ id }) => id);
    expect(ids(store.requests({ agentId, limit: 9 }))).toEqual([c?.id, b?.id, a?.id]);
    expect(ids(store.requests({ agentId, limit: 1, beforeCreatedAt: start + 2 }))).toEqual([b?.id]);
    expect(ids(store.requests({ agentId, status: 'pending', limit: 9 }))).toEqual([c?.id, a?.id]);
    expect(store.pendingRequests()).toHaveLength(3);
  });

  it('gives those in some states page by page, also of one millisecond, each once', () => {
    const agentId = givenAgent(store);
    const all = Array.from({ length: 7 }, () => givenRequest(store, agentId, { createdAt: start }).id);
    store.cancelRequest(all[3] ?? '', start);
    const seen: string[] = [];
    for (let after: string | undefined; ; after = seen.at(-1)) {
      const page = store.requestPage(['pending'], { agentId, limit: 2, ...(after !== undefined && { after }) });
      if (page.length === 0) break;
      seen.push(...page.map(({ id }) => id));
    }
    expect(seen).toEqual(all.filter((id) => id !== all[3]).reverse());
    expect(store.requestPage(['cancelled', 'denied'], { limit: 9 }).map(({ id }) => id)).toEqual([all[3]]);
    expect(store.requestPage(['pending'], { limit: 9, after: 'req_none' })).toEqual([]);
  });

  it('finds the latest approved one of the same agent and skill', () => {
    const agentId = givenAgent(store);
    const [old, newer, now] = [1, 2, 3].map(() => givenRequest(store, agentId));
    if (old === undefined || newer === undefined || now === undefined) {
      throw new Error('no fixture');
    }
    expect(store.lastApproved(agentId, 'weather', now.id)).toBeNull();
    store.decide(once(newer, { nowMs: start + 2 * minute }));
    store.decide(once(old, { nowMs: start + minute }));
    expect(store.lastApproved(agentId, 'weather', now.id)?.id).toBe(newer.id);
    expect(store.lastApproved(agentId, 'weather', newer.id)?.id).toBe(old.id);
    expect(store.lastApproved(agentId, 'other', now.id)).toBeNull();
  });

  it('answers null for what does not exist', () => {
    expect(store.request('req_none')).toBeNull();
    expect(store.manifest('none')).toBeNull();
    expect(store.code('none')).toBeNull();
    expect(store.result('req_none')).toBeNull();
    expect(store.egressOf('req_none')).toEqual([]);
  });
});

import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  givenAgent,
  givenRequest,
  givenSecret,
  manifestOf,
  minute,
  requestOf,
  standing,
  start,
  type TempStore,
  tempStore,
} from './fixtures.ts';
import { Sqlite } from './sqlite.ts';
import type { Store } from './store.ts';

let temp: TempStore;
let store: Store;
beforeEach(() => {
  temp = tempStore();
  store = temp.current();
});
afterEach(() => temp.dispose());

const hour = 60 * minute;

function givenTrust(level: '24h' | 'forever' = '24h', agentId = givenAgent(store)) {
  const request = givenRequest(store, agentId);
  const input = standing(store, request, level);
  store.decide(input);
  return { id: input.approvalId, trustKey: request.trustKey, request };
}

/** Writes to the file as another program of the same account could. */
function otherHand(sql: string, params: readonly (string | number | null)[] = []): void {
  const file = new Sqlite(`${temp.dataDir}/proxy.db`, { busyTimeoutMs: 500, synchronous: 'NORMAL' });
  try {
    file.run(sql, params);
  } finally {
    file.close();
  }
}

describe('a trust entry', () => {
  it('of 24 hours is live until exactly then, one for ever always', () => {
    const day = givenTrust('24h');
    const ever = givenTrust('forever');
    const end = start + 24 * hour;
    expect(store.liveTrust(day.trustKey, end - 1)?.id).toBe(day.id);
    expect(store.liveTrust(day.trustKey, end)).toBeNull();
    expect(store.liveTrust(ever.trustKey, end + 9_999 * hour)?.id).toBe(ever.id);
  });

  it('of 24 hours is not live while the clock stands before its decision', () => {
    const day = givenTrust('24h');
    expect(store.liveTrust(day.trustKey, start)).toBeNull();
    expect(store.liveTrust(day.trustKey, start + minute)?.id).toBe(day.id);
  });

  it('is for its whole trust key and no part of it', () => {
    const { trustKey } = givenTrust();
    expect(store.liveTrust(trustKey.slice(0, 8), start + hour)).toBeNull();
    expect(store.liveTrust(`${trustKey.slice(0, -1)}x`, start + hour)).toBeNull();
    expect(store.liveTrust('%', start + hour)).toBeNull();
  });

  it('ends when it is revoked, once, and is kept in the list', () => {
    const { id, trustKey } = givenTrust();
    expect(store.revokeTrust(id, 'telegram:1', start + hour)).toBe(true);
    expect(store.revokeTrust(id, 'desktop', start + hour)).toBe(false);
    expect(store.liveTrust(trustKey, start + hour)).toBeNull();
    expect(store.trustEntries()).toMatchObject([{ id, revokedAt: start + hour }]);
    expect(store.audit({ limit: 1 })[0]).toMatchObject({ kind: 'trust.revoked', actor: 'telegram:1' });
  });

  it('ends when it is suspended, with the reason', () => {
    const { id, trustKey } = givenTrust('forever');
    expect(store.suspendTrust(id, 'a secret was put into another header', start + hour)).toBe(true);
    expect(store.suspendTrust(id, 'again', start + hour)).toBe(false);
    expect(store.liveTrust(trustKey, start + hour)).toBeNull();
    expect(store.trustEntry(id)).toMatchObject({
      suspendedAt: start + hour,
      suspendReason: 'a secret was put into another header',
    });
  });

  it('that was taken back or suspended is no longer something the owner approved before', () => {
    for (const end of [
      (id: string) => store.revokeTrust(id, 'cli', start + 2 * minute),
      (id: string) => store.suspendTrust(id, 'why', start + 2 * minute),
    ]) {
      const { id, trustKey, request } = givenTrust('forever');
      expect(store.everApproved(trustKey)).toBe(true);
      end(id);
      expect(store.everApproved(trustKey)).toBe(false);
      const again = givenRequest(store, request.agentId, { trustKey });
      expect(store.decide({ ...standing(store, again, 'forever'), nowMs: start + 3 * minute }).kind).toBe('decided');
      expect(store.everApproved(trustKey)).toBe(true);
    }
  });

  it('can be decided again after it was revoked or suspended', () => {
    const agentId = givenAgent(store);
    const first = givenTrust('24h', agentId);
    store.suspendTrust(first.id, 'why', start + hour);
    const again = givenRequest(store, agentId, { trustKey: first.trustKey });
    const input = standing(store, again, 'forever');
    store.decide(input);
    expect(store.liveTrust(first.trustKey, start + hour)?.id).toBe(input.approvalId);
  });

  it('counts its uses', () => {
    const { id } = givenTrust();
    store.touchTrust(id, start + hour);
    store.touchTrust(id, start + 2 * hour);
    expect(store.trustEntry(id)).toMatchObject({ useCount: 2, lastUsedAt: start + 2 * hour });
    store = temp.reopen();
    expect(store.trustEntries()[0]).toMatchObject({ useCount: 2 });
  });

  it('is revoked with all others at once; the count is of those that were alive', () => {
    const { trustKey } = givenTrust('forever');
    givenTrust('24h');
    expect(store.revokeAllTrust('cli', start + 25 * hour)).toBe(1);
    expect(store.liveTrust(trustKey, start + 25 * hour)).toBeNull();
    expect(store.revokeAllTrust('cli', start + 25 * hour)).toBe(0);
  });

  it('is found by the secrets that its manifest names', () => {
    const agentId = givenAgent(store);
    const secret = givenSecret(store, 'API_KEY');
    const places = secret.binding.places;
    const named = {
      name: 'API_KEY',
      secretId: secret.id,
      version: 1,
      delivery: 'placeholder',
      bindingRevision: 1,
      hosts: [],
      binding: 'none',
      places,
    } as const;
    const manifest = manifestOf(agentId, 'uses it', { secrets: [named] });
    const written = store.insertRequest(requestOf(agentId, { manifest }, 'uses it'));
    const other = givenTrust('forever', agentId);
    if (written.kind !== 'created') {
      throw new Error('no fixture');
    }
    const input = standing(store, written.request, 'forever');
    store.decide(input);
    expect(store.trustUsingSecret(secret.id).map(({ id }) => id)).toEqual([input.approvalId]);
    expect(store.trustUsingSecret("' OR 1=1 --")).toEqual([]);
    expect(other.id).not.toBe(input.approvalId);
  });
});

describe('the seal of a trust entry', () => {
  it('makes a row of another hand no trust, suspends it and tells the log', () => {
    const { id, trustKey } = givenTrust('24h');
    otherHand("UPDATE approvals SET trust_level = 'forever', expires_at = NULL WHERE id = ?", [id]);
    expect(store.liveTrust(trustKey, start + 99 * hour)).toBeNull();
    expect(store.trustEntry(id)?.suspendReason).toContain('seal is wrong');
    expect(store.audit({ limit: 1 })[0]).toMatchObject({ kind: 'trust.suspended', payload: { trust_id: id } });
  });

  it.each([
    ["trust_key = 'other'"],
    ['approved_at = approved_at + 1'],
    ['expires_at = expires_at + 1'],
    ["skill_id = 'other'"],
    ["code_hash = 'other'"],
    ["args_policy = 'any'"],
    ["principal = 'cli'"],
    ["manifest_digest = 'other'"],
    ['mac = NULL'],
    ["mac = 'x'"],
  ])('notices %s', (change) => {
    const { id, trustKey } = givenTrust('24h');
    expect(store.liveTrust(trustKey, start + hour)?.id).toBe(id);
    otherHand(`UPDATE approvals SET ${change} WHERE id = ?`, [id]);
    expect(store.liveTrust(trustKey, start + hour)).toBeNull();
    expect(store.liveTrust('other', start + hour)).toBeNull();
  });

  it('keeps a revoked entry from being brought back by clearing a column', () => {
    const { id, trustKey } = givenTrust('forever');
    store.revokeTrust(id, 'desktop', start + hour);
    otherHand('UPDATE approvals SET revoked_at = NULL WHERE id = ?', [id]);
    expect(store.liveTrust(trustKey, start + hour)).toBeNull();
  });

  it('cannot be judged while the vault is locked, so nothing is trusted and nothing is suspended', () => {
    const { id, trustKey } = givenTrust('forever');
    store.setMacKey(null);
    expect(store.liveTrust(trustKey, start + hour)).toBeNull();
    expect(store.trustEntry(id)?.suspendedAt).toBeNull();
    store = temp.reopen();
    expect(store.liveTrust(trustKey, start + hour)?.id).toBe(id);
  });

  it('of another vault counts for nothing', () => {
    const { trustKey } = givenTrust('forever');
    store.setMacKey(randomBytes(32));
    expect(store.liveTrust(trustKey, start + hour)).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import { CodedError } from '../../contract/errors.ts';
import { manifestOf, secretOf } from '../../tests/support/manifests.ts';
import type { NewRequest, NewRequestResult } from '../core/records.ts';
import { RequestInserts } from './requestInserts.ts';

const manifest = manifestOf({ skill_id: 'x', code: '1' }, { secretOf: secretOf() });

function newRequest(id: string): NewRequest {
  return {
    id,
    agentId: 'agt_1',
    skillId: 'x',
    manifest,
    manifestDigest: 'd',
    trustKey: 't',
    code: new Uint8Array(),
    idempotencyKey: null,
    bodyHash: 'b',
    createdAt: 0,
    expiresAt: 1,
    trust: null,
    pendingCap: 1,
  };
}

/** Transactions in memory: what stands in `kept` was committed. */
function fakeRecords(broken: (id: string) => boolean = () => false) {
  const log = { kept: [] as string[], commits: 0 };
  let open: string[] | null = null;
  const insertRequest = (request: NewRequest): NewRequestResult => {
    if (broken(request.id)) throw new CodedError('storage_unavailable', 'The disk is full');
    if (open === null) {
      log.kept.push(request.id);
      log.commits += 1;
    } else open.push(request.id);
    return { kind: 'over_cap', pending: Number(request.id), cancelled: 0 };
  };
  const together = <Result>(work: () => Result): Result => {
    open = [];
    try {
      const result = work();
      log.kept.push(...open);
      log.commits += 1;
      return result;
    } finally {
      open = null;
    }
  };
  return { log, records: { insertRequest, together } };
}

describe('requests that arrive together', () => {
  it('are stored as one transaction, and each learns its own result', async () => {
    const { log, records } = fakeRecords();
    const inserts = new RequestInserts(records);
    const results = await Promise.all(['1', '2', '3'].map((id) => inserts.insert(() => newRequest(id))));
    expect(results).toEqual([1, 2, 3].map((pending) => ({ kind: 'over_cap', pending, cancelled: 0 })));
    expect(log).toEqual({ kept: ['1', '2', '3'], commits: 1 });
  });

  it('do not suffer for one that is refused before it is stored', async () => {
    const { log, records } = fakeRecords();
    const inserts = new RequestInserts(records);
    const good = inserts.insert(() => newRequest('1'));
    const bad = inserts.insert(() => {
      throw new CodedError('vault_locked', 'The vault is locked');
    });
    await expect(bad).rejects.toThrow('The vault is locked');
    await expect(good).resolves.toMatchObject({ pending: 1 });
    expect(log.kept).toEqual(['1']);
  });

  it('do not suffer for one that cannot be stored, and nothing is stored twice', async () => {
    const { log, records } = fakeRecords((id) => id === '2');
    const inserts = new RequestInserts(records);
    const all = await Promise.allSettled(['1', '2', '3'].map((id) => inserts.insert(() => newRequest(id))));
    expect(all.map((one) => one.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(log.kept).toEqual(['1', '3']);
  });

  it('are looked at only when they are stored', async () => {
    const { records } = fakeRecords();
    let looked = false;
    const stored = new RequestInserts(records).insert(() => {
      looked = true;
      return newRequest('1');
    });
    await Promise.resolve();
    expect(looked).toBe(false);
    await stored;
    expect(looked).toBe(true);
  });
});

import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { auditLinkHash, auditPayloadHash, genesisHash } from '../core/auditHash.ts';
import { givenAgent, givenRequest, givenSecret, start, type TempStore, tempStore } from './fixtures.ts';
import { Sqlite } from './sqlite.ts';
import type { Store } from './store.ts';

let temp: TempStore;
let store: Store;
beforeEach(() => {
  temp = tempStore();
  store = temp.current();
});
afterEach(() => temp.dispose());

const dropGuards = ['DROP TRIGGER audit_events_stay', 'DROP TRIGGER audit_events_keep_their_word'];

function otherHand(statements: readonly string[]): void {
  const file = new Sqlite(`${temp.dataDir}/proxy.db`, { busyTimeoutMs: 500, synchronous: 'NORMAL' });
  try {
    for (const sql of statements) {
      file.exec(sql);
    }
  } finally {
    file.close();
  }
}

const write = (count: number) => {
  for (let index = 0; index < count; index += 1) {
    store.appendAudit({ actor: 'cli', kind: 'test', payload: { index } }, start + index);
  }
};

describe('the audit log', () => {
  it('is read newest first in pages, and oldest first whole, past any page size', () => {
    write(1_203);
    expect(store.audit({ limit: 2 }).map(({ seq }) => seq)).toEqual([1_203, 1_202]);
    expect(store.audit({ limit: 2, beforeSeq: 3 }).map(({ payload }) => payload)).toEqual([{ index: 1 }, { index: 0 }]);
    expect([...store.eachAudit()].map(({ seq }) => seq)).toEqual(Array.from({ length: 1_203 }, (_, at) => at + 1));
    expect(store.verifyAudit()).toEqual({ ok: true, events: 1_203 });
  });

  it('can be written to while it is being read', () => {
    write(3);
    const reading = store.eachAudit();
    reading.next();
    write(1);
    expect([...reading].map(({ seq }) => seq)).toEqual([2, 3]);
  });

  it('is filtered by kind and request', () => {
    const request = givenRequest(store);
    givenRequest(store);
    expect(store.audit({ limit: 9, requestId: request.id })).toMatchObject([
      { kind: 'request.created', requestId: request.id },
    ]);
    expect(store.audit({ limit: 9, kind: 'agent.added' })).toHaveLength(2);
  });

  it('goes on in one chain after a restart', () => {
    write(2);
    store = temp.reopen();
    write(1);
    expect(store.verifyAudit()).toEqual({ ok: true, events: 3 });
  });

  it('takes any text that a stranger chose', () => {
    const payload = { name: "'; DROP TABLE audit_events; --\u0000\ud800\u202e", list: [undefined, null] };
    store.appendAudit({ actor: 'cli', kind: 'test', payload }, start);
    expect(store.audit({ limit: 1 })[0]?.payload).toEqual({
      name: "'; DROP TABLE audit_events; --\u0000\ufffd\u202e",
      list: [null, null],
    });
    expect(store.verifyAudit()).toMatchObject({ ok: true });
  });

  it('holds neither values nor code of what it tells about', () => {
    const encrypted = randomBytes(40);
    const secret = givenSecret(store, 'API_KEY', encrypted);
    const request = givenRequest(store, givenAgent(store));
    store.replaceSecretValue(secret.id, randomBytes(40), 'cli', start);
    const all = JSON.stringify([...store.eachAudit()]);
    expect(all).not.toContain(Buffer.from(store.code(request.codeHash) ?? []).toString());
    for (const encoding of ['hex', 'base64', 'latin1'] as const) {
      expect(all).not.toContain(encrypted.toString(encoding));
    }
  });
});

describe('P263 an audit log that was edited', () => {
  it('cannot be edited by plain statements at all', () => {
    write(3);
    expect(() => otherHand(['DELETE FROM audit_events WHERE seq = 2'])).toThrow('never deleted');
    expect(() => otherHand(["UPDATE audit_events SET actor = 'desktop' WHERE seq = 2"])).toThrow('never changed');
    expect(() => otherHand(["UPDATE audit_events SET payload = '{}' WHERE seq = 2"])).toThrow('never changed');
    expect(store.verifyAudit()).toMatchObject({ ok: true });
  });

  it('may lose a payload, and the chain stays whole', () => {
    write(3);
    otherHand(['UPDATE audit_events SET payload = NULL WHERE seq = 2']);
    expect(store.verifyAudit()).toEqual({ ok: true, events: 3 });
    expect(store.audit({ limit: 1, beforeSeq: 3 })[0]?.payload).toBeNull();
  });

  it.each([
    ["actor = 'desktop'", 2],
    ["kind = 'other'", 2],
    ['at = at + 1', 2],
    ["request_id = 'req_x'", 2],
    [`payload = '{"index":9}'`, 2],
    [`payload = 'not json'`, 2],
    [`payload_hash = '${'0'.repeat(64)}'`, 2],
    [`prev_hash = '${'0'.repeat(64)}'`, 2],
    [`hash = '${'0'.repeat(64)}'`, 2],
  ])('by %s is broken there', (change, brokenAtSeq) => {
    write(4);
    otherHand([...dropGuards, `UPDATE audit_events SET ${change} WHERE seq = 2`]);
    expect(store.verifyAudit()).toMatchObject({ ok: false, brokenAtSeq });
    expect([...store.eachAudit()]).toHaveLength(4);
  });

  it('by taking out an event is broken there', () => {
    write(4);
    otherHand([...dropGuards, 'DELETE FROM audit_events WHERE seq = 3']);
    expect(store.verifyAudit()).toEqual({ ok: false, brokenAtSeq: 3, reason: 'The event is missing.' });
  });

  it('by cutting off its end is noticed at the next unlock, for good', () => {
    write(4);
    temp.current().close();
    otherHand([...dropGuards, 'DELETE FROM audit_events WHERE seq >= 3']);
    store = temp.reopen();
    expect(store.verifyAudit()).toMatchObject({ ok: false, brokenAtSeq: 4 });
    expect(store.audit({ limit: 1 })[0]).toMatchObject({ kind: 'audit.tampered', payload: { seq: 4 } });
    write(9);
    store = temp.reopen();
    expect(store.verifyAudit()).toMatchObject({ ok: false, brokenAtSeq: 4 });
  });

  it('and made right again link by link is noticed by its seal', () => {
    write(3);
    temp.current().close();
    const payloadText = '{"index":9}';
    const link = {
      seq: 1,
      at: start,
      actor: 'cli',
      kind: 'test',
      requestId: null,
      payloadHash: auditPayloadHash(payloadText),
      prevHash: genesisHash,
    };
    otherHand([
      ...dropGuards,
      'DELETE FROM audit_events',
      `INSERT INTO audit_events VALUES (1, ${start}, 'cli', 'test', NULL, '${payloadText}', '${link.payloadHash}', '${genesisHash}', '${auditLinkHash(link)}')`,
    ]);
    store = temp.reopen();
    expect(store.verifyAudit()).toMatchObject({ ok: false, reason: expect.stringContaining('sealed') });
  });

  it('with a seal of another key is noticed', () => {
    write(3);
    store.setMacKey(randomBytes(32));
    expect(store.verifyAudit()).toMatchObject({ ok: false, reason: expect.stringContaining('seal') });
  });

  it('while the vault is locked goes on unsealed and is sealed at the next unlock', () => {
    write(2);
    store.setMacKey(null);
    write(2);
    expect(store.verifyAudit()).toEqual({ ok: true, events: 4 });
    store = temp.reopen();
    expect(store.verifyAudit()).toEqual({ ok: true, events: 4 });
  });
});

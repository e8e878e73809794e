import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canonicalJson, sha256Hex } from '../core/digest.ts';
import {
  givenAgent,
  givenRequest,
  minute,
  nextId,
  once,
  someResult,
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
    // Pruned rows leave their hash in the audit chain.
    expect(store.audit({ limit: 1, kind: 'run.finished' })[0]?.payload).toMatchObject({
      hosts: ['a.example:443'],
      egress_sha256: sha256Hex(canonicalJson([egress])),
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

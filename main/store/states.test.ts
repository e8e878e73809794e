import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RequestState, requestStates } from '../../contract/states.ts';
import type { RequestRecord } from '../core/records.ts';
import {
  deny,
  givenAgent,
  givenRequest,
  minute,
  nextId,
  once,
  someResult,
  standing,
  start,
  type TempStore,
  tempStore,
} from './fixtures.ts';
import { Sqlite } from './sqlite.ts';
import type { Store } from './store.ts';

let temp: TempStore;
let store: Store;
// One store for all: opening one for each of the pairs would be most of the time.
beforeAll(() => {
  temp = tempStore();
  store = temp.current();
});
afterAll(() => temp.dispose());

const error = { code: 'sandbox_unavailable', message: 'gone' };
const run = () => ({ runId: nextId('run'), nowMs: start + 2 * minute });
const finish = (request: RequestRecord, status: 'success' | 'failed') => ({
  requestId: request.id,
  status,
  nowMs: start + 3 * minute,
  result: someResult,
  error: null,
  egress: [],
  wakeText: null,
});

/** Brings a new request into each state, by the operations of the house. */
const reach: Record<RequestState, (request: RequestRecord) => unknown> = {
  pending: () => true,
  approved: (request) => store.decide(once(request)),
  denied: (request) => store.decide(deny(request)),
  expired: (request) => store.expireRequests(request.expiresAt, () => ''),
  cancelled: (request) => store.cancelRequest(request.id, start),
  running: (request) => [store.decide(once(request)), store.startRun(request.id, run())],
  success: (request) => [
    store.decide(once(request)),
    store.startRun(request.id, run()),
    store.finishRun(finish(request, 'success')),
  ],
  failed: (request) => [
    store.decide(once(request)),
    store.startRun(request.id, run()),
    store.finishRun(finish(request, 'failed')),
  ],
  interrupted: (request) => [store.decide(once(request)), store.interruptUnfinished(start, () => '')],
};

/** Every operation that moves a request: from where it works, where it leads, and whether it says that it did. */
const moves: readonly Readonly<{
  name: string;
  from: readonly RequestState[];
  to: RequestState;
  go: (request: RequestRecord) => boolean;
}>[] = [
  { name: 'decide once', from: ['pending'], to: 'approved', go: (r) => store.decide(once(r)).kind === 'decided' },
  {
    name: 'decide 24h',
    from: ['pending'],
    to: 'approved',
    go: (r) => store.decide(standing(store, r)).kind === 'decided',
  },
  { name: 'deny', from: ['pending'], to: 'denied', go: (r) => store.decide(deny(r)).kind === 'decided' },
  { name: 'cancel', from: ['pending'], to: 'cancelled', go: (r) => store.cancelRequest(r.id, start) === 'cancelled' },
  {
    name: 'expire',
    from: ['pending'],
    to: 'expired',
    go: (r) => store.expireRequests(r.expiresAt, () => '').some(({ id }) => id === r.id),
  },
  {
    name: 'revoke the agent',
    from: ['pending'],
    to: 'cancelled',
    go: (r) => store.revokeAgent(r.agentId, 'cli', start).length === 1,
  },
  { name: 'start', from: ['approved'], to: 'running', go: (r) => store.startRun(r.id, run()) },
  { name: 'finish well', from: ['running'], to: 'success', go: (r) => store.finishRun(finish(r, 'success')) },
  { name: 'finish badly', from: ['running'], to: 'failed', go: (r) => store.finishRun(finish(r, 'failed')) },
  {
    name: 'fail before the run',
    from: ['approved'],
    to: 'failed',
    go: (r) => store.failApproved(r.id, error, start, null),
  },
  {
    name: 'interrupt',
    from: ['approved', 'running'],
    to: 'interrupted',
    go: (r) => store.interruptUnfinished(start, () => '').some(({ id }) => id === r.id),
  },
];

describe.each(moves)('to $name', ({ from, to, go }) => {
  it.each(requestStates)('from %s', (state) => {
    const request = givenRequest(store);
    reach[state](request);
    expect(store.request(request.id)?.status).toBe(state);
    const before = { request: store.request(request.id), result: store.result(request.id), events: eventsOf(request) };

    const moved = go(request);

    expect(moved).toBe(from.includes(state));
    expect(store.request(request.id)?.status).toBe(from.includes(state) ? to : state);
    if (moved) {
      expect(eventsOf(request)).toHaveLength(before.events.length + 1);
    } else {
      expect({
        request: store.request(request.id),
        result: store.result(request.id),
        events: eventsOf(request),
      }).toEqual(before);
    }
  });
});

const eventsOf = (request: RequestRecord) => store.audit({ limit: 99, requestId: request.id }).map(({ kind }) => kind);

describe('the file itself', () => {
  it.each(requestStates)('lets a row leave %s only forward, whoever writes', (from) => {
    for (const to of requestStates) {
      const request = givenRequest(store);
      reach[from](request);
      const file = new Sqlite(`${temp.dataDir}/proxy.db`, { busyTimeoutMs: 100, synchronous: 'NORMAL' });
      const step = () => file.run('UPDATE requests SET status = ? WHERE id = ?', [to, request.id]);
      try {
        if (moves.some((move) => move.from.includes(from) && move.to === to)) {
          expect(step()).toBe(1);
        } else {
          expect(step).toThrow('cannot make this step');
        }
      } finally {
        file.close();
      }
    }
  });

  it('has a whole audit log after all of this', () => {
    expect(store.verifyAudit()).toMatchObject({ ok: true });
  });
});

describe('a run', () => {
  it('keeps its result, its traffic and its end in one place each', () => {
    const request = givenRequest(store);
    reach.running(request);
    const egress = {
      requestId: request.id,
      at: start,
      method: 'GET',
      host: 'api.example.com',
      port: 443,
      path: '/v1',
      status: 200,
      bytesIn: 10,
      bytesOut: 20,
      durationMs: 5.4,
      secrets: ['API_KEY'],
      refused: null,
      placeholderInBody: false,
    };
    const refused = { ...egress, status: 0, refused: 'forbidden_host', placeholderInBody: true };
    expect(store.finishRun({ ...finish(request, 'success'), egress: [egress, refused], wakeText: 'done' })).toBe(true);
    store = temp.reopen();
    expect(store.request(request.id)).toMatchObject({ status: 'success', finishedAt: start + 3 * minute, error: null });
    expect(store.result(request.id)).toEqual(someResult);
    expect(store.egressOf(request.id)).toEqual([
      { ...egress, durationMs: 5 },
      { ...refused, durationMs: 5 },
    ]);
    expect(store.dueWakes(start + 3 * minute, 999).filter(({ requestId }) => requestId === request.id)).toMatchObject([
      { text: 'done', kind: 'final' },
    ]);
  });

  it('leaves no word in the outbox when its agent waits for the answer', () => {
    const request = givenRequest(store);
    reach.success(request);
    expect(store.dueWakes(Number.MAX_SAFE_INTEGER, 999).filter(({ requestId }) => requestId === request.id)).toEqual(
      [],
    );
  });

  it('that never started tells why', () => {
    const request = givenRequest(store);
    reach.approved(request);
    store.failApproved(request.id, error, start, 'failed');
    expect(store.request(request.id)).toMatchObject({ status: 'failed', error });
    expect(store.result(request.id)).toBeNull();
  });

  it('that a restart cut off is interrupted, and its agent is told', () => {
    const [approved, running, pending] = [1, 2, 3].map(() => givenRequest(store, givenAgent(store)));
    if (!approved || !running || !pending) {
      throw new Error('no fixture');
    }
    reach.approved(approved);
    reach.running(running);
    store = temp.reopen();
    const ended = store.interruptUnfinished(start + 5 * minute, ({ id }) => `interrupted ${id}`);
    expect(ended.map(({ id }) => id)).toEqual(expect.arrayContaining([approved.id, running.id]));
    expect(ended[0]).toMatchObject({ status: 'interrupted', error: { code: 'interrupted' } });
    expect(store.dueWakes(start + 5 * minute, 999).map(({ text }) => text)).toEqual(
      expect.arrayContaining([`interrupted ${approved.id}`, `interrupted ${running.id}`]),
    );
    expect(store.request(pending.id)?.status).toBe('pending');
    expect(store.startRun(approved.id, run())).toBe(false);
  });

  it('belongs to one request only', () => {
    const [one, two] = [givenRequest(store), givenRequest(store)];
    reach.approved(one);
    reach.approved(two);
    const same = run();
    expect(store.startRun(one.id, same)).toBe(true);
    expect(() => store.startRun(two.id, same)).toThrow();
    expect(store.request(two.id)?.status).toBe('approved');
  });

  it('is for what was approved: the digest is in the event of its start', () => {
    const request = givenRequest(store);
    reach.running(request);
    expect(store.audit({ limit: 9, kind: 'run.started' })[0]).toMatchObject({
      payload: { manifest_digest: request.manifestDigest },
    });
  });
});

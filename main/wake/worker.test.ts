import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startUpstream, type UpstreamServer } from '../../tests/support/httpsUpstream.ts';
import { keepingLog } from '../../tests/support/telegramHouse.ts';
import type { RequestRecord, WakeItem } from '../core/records.ts';
import { WakeWorker } from './worker.ts';

/** The outbox of the store, in memory, with its rules about reminders. */
class MemoryOutbox {
  items: WakeItem[] = [];
  settled: string[] = [];
  fetchedAt: number | null = null;

  add(change: Partial<WakeItem> = {}): void {
    this.items.push({
      id: 'wak_1',
      requestId: 'req_1',
      agentId: 'agt_1',
      text: 'OAuth3: request req_1 (weather) succeeded.',
      kind: 'final',
      attempts: 0,
      nextAt: 0,
      createdAt: 0,
      ...change,
    });
  }

  dueWakes(nowMs: number, limit: number): readonly WakeItem[] {
    return this.items.filter((item) => item.nextAt <= nowMs).slice(0, limit);
  }

  nextWakeAt(): number | null {
    return this.items.length === 0 ? null : Math.min(...this.items.map((item) => item.nextAt));
  }

  wakeDelivered(id: string, nowMs: number, reminder: Readonly<{ at: number; text: string }> | null): void {
    this.#remove(id, 'delivered');
    if (reminder !== null) {
      const { at, text } = reminder;
      this.add({ id: `${id}_r`, kind: 'reminder', text, nextAt: at, createdAt: nowMs });
    }
  }

  wakeFailed(id: string, nextAt: number | null): void {
    if (nextAt === null) this.#remove(id, 'given up');
    else
      this.items = this.items.map((item) => (item.id === id ? { ...item, attempts: item.attempts + 1, nextAt } : item));
  }

  wakeDropped(id: string): void {
    this.#remove(id, 'dropped');
  }

  request(): RequestRecord {
    return {
      id: 'req_1',
      agentId: 'agt_1',
      skillId: 'weather',
      status: 'success',
      manifestDigest: 'd',
      trustKey: 't',
      codeHash: 'c',
      idempotencyKey: null,
      bodyHash: 'b',
      createdAt: 0,
      expiresAt: 1,
      decidedAt: 0,
      decision: 'once',
      decidedBy: 'desktop',
      denyReason: null,
      startedAt: 0,
      finishedAt: 0,
      approvalId: 'apr_1',
      trusted: false,
      requestBindings: {},
      error: null,
      resultFetchedAt: this.fetchedAt,
    };
  }

  #remove(id: string, how: string): void {
    this.items = this.items.filter((item) => item.id !== id);
    this.settled.push(`${id} ${how}`);
  }
}

const token = randomBytes(16).toString('hex');
let hookToken: string | null;
let gateway: UpstreamServer;
let outbox: MemoryOutbox;
let worker: WakeWorker;
let logged: string[];
let nowMs: number;

function makeWorker(url: string | null = `http://127.0.0.1:${gateway.port}/hooks/wake`): WakeWorker {
  const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs };
  const hook = url === null ? null : { url, token: hookToken };
  worker = new WakeWorker({ records: outbox, clock, log: keepingLog(logged), hook, firstRetryMs: 1000 });
  return worker;
}

const settled = (check: () => void) => vi.waitFor(check, { timeout: 3000, interval: 5 });

beforeEach(async () => {
  gateway = await startUpstream(null, { answer: (_request, response) => void response.end('{"ok":true}') });
  outbox = new MemoryOutbox();
  logged = [];
  hookToken = token;
  nowMs = 1_000_000;
});
afterEach(async () => {
  await worker.stop();
  await gateway.close();
});

describe('waking an agent', () => {
  it('posts the text to the OpenClaw hook with its token', async () => {
    outbox.add();
    makeWorker().start();
    await settled(() => expect(outbox.settled).toEqual(['wak_1 delivered']));
    const [request] = gateway.received;
    expect(request).toMatchObject({ method: 'POST', path: '/hooks/wake' });
    expect(request?.headers.authorization).toBe(`Bearer ${token}`);
    expect(JSON.parse(request?.body.toString() ?? '')).toEqual({
      text: 'OAuth3: request req_1 (weather) succeeded.',
      mode: 'now',
    });
  });

  it('delivers what a former process left, and what comes after it', async () => {
    outbox.add({ attempts: 3 });
    makeWorker().start();
    await settled(() => expect(gateway.received).toHaveLength(1));
    outbox.add({ id: 'wak_2' });
    worker.kick();
    await settled(() => expect(outbox.settled).toContain('wak_2 delivered'));
  });

  it('tries again, later each time, only when delivery failed', async () => {
    gateway.setAnswer((_request, response) => void response.writeHead(500).end());
    outbox.add();
    makeWorker().start();
    await settled(() => expect(outbox.items[0]).toMatchObject({ attempts: 1, nextAt: nowMs + 1000 }));
    nowMs += 1000;
    worker.kick();
    await settled(() => expect(outbox.items[0]).toMatchObject({ attempts: 2, nextAt: nowMs + 2000 }));
    gateway.setAnswer((_request, response) => void response.end());
    nowMs += 2000;
    worker.kick();
    await settled(() => expect(outbox.settled).toEqual(['wak_1 delivered']));
  });

  it('gives up in the end', async () => {
    gateway.setAnswer((_request, response) => void response.writeHead(500).end());
    outbox.add({ attempts: 17 });
    makeWorker().start();
    await settled(() => expect(outbox.settled).toEqual(['wak_1 given up']));
  });

  it('waits as long as the hook asks', async () => {
    gateway.setAnswer((_request, response) => void response.writeHead(429, { 'retry-after': '90' }).end());
    outbox.add();
    makeWorker().start();
    await settled(() => expect(outbox.items[0]?.nextAt).toBe(nowMs + 90_000));
  });

  it('reminds once after two minutes when the result was not fetched', async () => {
    outbox.add();
    makeWorker().start();
    await settled(() => expect(outbox.items[0]).toMatchObject({ kind: 'reminder', nextAt: nowMs + 120_000 }));
    nowMs += 120_000;
    worker.kick();
    await settled(() => expect(gateway.received).toHaveLength(2));
    expect(gateway.received[1]?.body.toString()).toContain('Reminder: OAuth3: request req_1');
    await settled(() => expect(outbox.items).toEqual([]));
  });

  it('does not remind of a result that was fetched', async () => {
    outbox.add({ kind: 'reminder' });
    outbox.fetchedAt = 5;
    makeWorker().start();
    await settled(() => expect(outbox.settled).toEqual(['wak_1 dropped']));
    expect(gateway.received).toEqual([]);
  });

  it('does not repeat a failed wake once the result was fetched', async () => {
    outbox.add({ attempts: 1 });
    outbox.fetchedAt = 5;
    makeWorker().start();
    await settled(() => expect(outbox.settled).toEqual(['wak_1 dropped']));
    expect(gateway.received).toEqual([]);
  });

  it('sends no Authorization header when no token is configured', async () => {
    hookToken = null;
    outbox.add();
    makeWorker().start();
    await settled(() => expect(outbox.settled).toEqual(['wak_1 delivered']));
    expect(gateway.received[0]?.headers).not.toHaveProperty('authorization');
  });

  it('settles the outbox without noise when nothing is configured', async () => {
    outbox.add();
    makeWorker(null).start();
    await settled(() => expect(outbox.settled).toEqual(['wak_1 dropped']));
    expect(logged).toEqual([]);
  });

  it('asks a store that fails only now and then', async () => {
    let asked = 0;
    outbox.dueWakes = () => {
      asked += 1;
      throw new Error('disk full');
    };
    outbox.add();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      makeWorker().start();
      await vi.advanceTimersByTimeAsync(50_000);
      expect(asked).toBe(1);
      await vi.advanceTimersByTimeAsync(20_000);
      expect(asked).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('never follows a redirect with its token', async () => {
    const elsewhere = await startUpstream(null);
    const location = `http://127.0.0.1:${elsewhere.port}/`;
    gateway.setAnswer((_request, response) => void response.writeHead(307, { location }).end());
    outbox.add();
    makeWorker().start();
    await settled(() => expect(outbox.items[0]?.attempts).toBe(1));
    expect(elsewhere.received).toEqual([]);
    await elsewhere.close();
  });
});

describe('the wake test', () => {
  it('says that the hook answered', async () => {
    expect(await makeWorker().test()).toEqual({ ok: true, detail: 'the hook answered 200' });
  });

  it('names what to check when the token is wrong', async () => {
    gateway.setAnswer((_request, response) => void response.writeHead(401).end());
    const answer = await makeWorker().test();
    expect(answer).toEqual({ ok: false, detail: 'the hook answered 401: check OPENCLAW_HOOK_TOKEN' });
  });

  it('says why the hook cannot be reached, without the token', async () => {
    const answer = await makeWorker('http://127.0.0.1:1/hooks/wake').test();
    expect(answer.ok).toBe(false);
    expect(answer.detail).toMatch(/could not be reached \((ECONNREFUSED|TypeError)\)/);
    const bad = new WakeWorker({
      records: outbox,
      clock: { wallMs: () => 0, monotonicMs: () => 0 },
      log: keepingLog(logged),
      hook: { url: `http://127.0.0.1:${gateway.port}/`, token: `${token}\n${token}` },
    });
    expect(JSON.stringify(await bad.test())).not.toContain(token);
  });

  it('says what to set when nothing is configured', async () => {
    expect((await makeWorker(null).test()).detail).toContain('OPENCLAW_HOOK_URL');
  });
});

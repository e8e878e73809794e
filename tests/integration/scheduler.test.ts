import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CodedError } from '../../contract/errors.ts';
import type { TrustLevel } from '../../contract/states.ts';
import { isFinal } from '../../contract/states.ts';
import { manifestDigest, trustKey } from '../../main/core/digest.ts';
import { makeId } from '../../main/core/ids.ts';
import { silentLog } from '../../main/core/log.ts';
import { buildManifest } from '../../main/core/manifest.ts';
import { Redactor } from '../../main/core/redaction.ts';
import { planRequest } from '../../main/core/requestPlan.ts';
import { systemClock } from '../../main/core/systemClock.ts';
import { RequestAnnouncer } from '../../main/requests/requestEvents.ts';
import type { Backend, BackendStatus, SandboxExit, SandboxIo, SandboxJob } from '../../main/runs/backend.ts';
import type { RunEgressSpec } from '../../main/runs/ports.ts';
import { Scheduler } from '../../main/runs/scheduler.ts';
import { openStore, type Store } from '../../main/store/store.ts';

const carrier = { image: '', runner: '', seccomp: '' };
const fakeKey = (): string => `sk-fake-${randomBytes(20).toString('hex')}`;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

type Step = (job: SandboxJob, io: SandboxIo) => Promise<SandboxExit>;

/** A sandbox that plays what the test says and ends at once when it is told to. */
class ScriptedBackend implements Backend {
  readonly isolation = 'embedded';
  readonly runtimes = ['quickjs'] as const;
  readonly jobs: SandboxJob[] = [];
  state: BackendStatus = { ready: true };
  script: Step = async () => ({ kind: 'exited', exitCode: 0 });
  status(): BackendStatus {
    return this.state;
  }
  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  run(job: SandboxJob, io: SandboxIo): Promise<SandboxExit> {
    this.jobs.push(job);
    const killed = new Promise<SandboxExit>((resolve) => {
      io.signal.addEventListener('abort', () => resolve({ kind: 'killed' }), { once: true });
    });
    return Promise.race([this.script(job, io), killed]);
  }
}

type House = ReturnType<typeof openHouse>;

/** `broken`: operations that fail as the test says, for as long as they are there. */
function openHouse(dataDir = mkdtempSync(join(tmpdir(), 'oauth3-scheduler-')), broken: Partial<Store> = {}) {
  const store = openStore({ dataDir, log: silentLog });
  store.setMacKey(randomBytes(32));
  const backend = new ScriptedBackend();
  const values = new Map<string, { version: number; value: string }>();
  const sessions: RunEgressSpec[] = [];
  const notices: string[] = [];
  const switches = { paused: false, unlocked: true, concurrent: 4, waiter: false, memoryMb: 4096 };
  const events = new RequestAnnouncer(silentLog);
  const scheduler = new Scheduler({
    records: new Proxy(store, { get: (target, name) => Reflect.get(broken, name) ?? Reflect.get(target, name) }),
    backends: [backend],
    openEgress: (spec) => {
      sessions.push(spec);
      return {
        records: [],
        close: () => {},
        request: async () => ({ status: 200, statusText: 'OK', headers: [], body: (async function* () {})() }),
      };
    },
    vault: { isUnlocked: () => switches.unlocked, value: (id) => values.get(id) ?? null },
    redactor: () => new Redactor([...values.values()].map(({ value }) => ({ name: 'KEY', value }))),
    events,
    hasWaiter: () => switches.waiter,
    notice: (text) => notices.push(text),
    isPaused: () => switches.paused,
    concurrentRuns: () => switches.concurrent,
    memoryBudgetMb: switches.memoryMb,
    clock: systemClock,
    random: randomBytes,
    log: silentLog,
  });
  cleanups.push(async () => {
    await scheduler.stop();
    store.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return { dataDir, store, backend, values, sessions, notices, switches, events, scheduler };
}

function addAgent(store: Store, name = `agent-${randomBytes(3).toString('hex')}`): string {
  const tokenSha256 = randomBytes(32).toString('hex');
  return store.addAgent({ id: makeId('agt', randomBytes), name, tokenSha256 }, 'cli', Date.now()).id;
}

function addSecret({ store, values }: House, name: string, delivery: 'placeholder' | 'raw' = 'placeholder'): string {
  const id = makeId('sec', randomBytes);
  const places = { headers: ['x-api-key'], query: [], path: false, json: [], form: [] };
  const binding = { hosts: ['api.example.com'], places, source: 'owner' } as const;
  store.addSecret({ id, name, encrypted: randomBytes(64), delivery, binding }, 'cli', Date.now());
  values.set(id, { version: 1, value: fakeKey() });
  return id;
}

type Wish = Readonly<{ agentId?: string; code?: string; secrets?: string[]; decision?: TrustLevel; memoryMb?: number }>;

/** A request that its owner approved, ready to be enqueued. */
function approved({ store }: House, wish: Wish = {}): string {
  const code = wish.code ?? `console.log(${JSON.stringify(randomBytes(4).toString('hex'))})`;
  const agentId = wish.agentId ?? addAgent(store);
  const body = {
    skill_id: 'skill',
    secrets: wish.secrets ?? [],
    args: { n: 1 },
    metadata: { network: ['api.example.com'], memory_mb: wish.memoryMb ?? 64 },
  };
  const plan = planRequest(body, {}, { runtime: 'quickjs', localNames: new Set() });
  const manifest = buildManifest({
    agentId,
    plan,
    code: bytes(code),
    sandbox: { isolation: 'embedded', carrier },
    secretOf: (name) => store.secretByName(name),
    requestBindings: {},
  });
  const id = makeId('req', randomBytes);
  const digest = manifestDigest(manifest);
  const nowMs = Date.now();
  store.insertRequest({
    id,
    agentId,
    skillId: 'skill',
    manifest,
    manifestDigest: digest,
    trustKey: trustKey(manifest, 'exact'),
    code: bytes(code),
    idempotencyKey: null,
    bodyHash: randomBytes(32).toString('hex'),
    createdAt: nowMs,
    expiresAt: nowMs + 60_000,
    trust: null,
    pendingCap: 1000,
  });
  const decision = wish.decision ?? 'once';
  store.decide({
    requestId: id,
    manifestDigest: digest,
    decision,
    principal: 'desktop',
    nowMs,
    approvalId: makeId('apr', randomBytes),
    ...(decision === 'once'
      ? {}
      : {
          standing: {
            trustKey: trustKey(manifest, 'exact'),
            argsPolicy: 'exact',
            expiresAt: null,
            manifest,
            manifestDigest: digest,
            keepBindings: [],
          },
        }),
  });
  return id;
}

const status = ({ store }: House, id: string) => store.request(id)?.status;
const auditKinds = ({ store }: House): readonly string[] => store.audit({ limit: 500 }).map(({ kind }) => kind);

/** Waits until the request has a state, by the announcements of state changes. */
function until(house: House, id: string, wanted: (state: string) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): boolean => {
      const state = status(house, id);
      return state !== undefined && wanted(state);
    };
    if (look()) return resolve();
    const stop = house.events.onChanged(() => {
      if (!look()) return;
      stop();
      resolve();
    });
  });
}
const untilFinal = (house: House, id: string) => until(house, id, (state) => isFinal(state as never));

async function run(house: House, wish: Wish = {}): Promise<string> {
  const id = approved(house, wish);
  house.scheduler.enqueue(id);
  await untilFinal(house, id);
  return id;
}

/** Changes a row behind the app's back. */
function tamper(house: House, sql: string, ...values: readonly unknown[]): void {
  const database = new Database(join(house.dataDir, 'proxy.db'));
  const { changes } = database.prepare(sql).run(...values);
  database.close();
  expect(changes).toBeGreaterThan(0);
}

describe('a run', () => {
  it('gets the approved bytes, stand-ins for secrets and its arguments, and its output is kept without secrets', async () => {
    const house = openHouse();
    const secretId = addSecret(house, 'API_KEY');
    const value = house.values.get(secretId)?.value ?? '';
    house.backend.script = async (_job, io) => {
      for (const character of `got ${value}\n`) io.stdout(bytes(character));
      io.stderr(bytes(Buffer.from(value).toString('base64')));
      return { kind: 'exited', exitCode: 3 };
    };
    const id = await run(house, { code: 'the code', secrets: ['API_KEY'] });
    const [job] = house.backend.jobs;
    expect(new TextDecoder().decode(job?.code)).toBe('the code');
    expect(job?.env.SKILL_ARGS).toBe('{"n":1}');
    expect(Object.keys(job?.env ?? {}).sort()).toEqual(['API_KEY', 'SKILL_ARGS']);
    expect(job?.env.API_KEY).toContain('oauth3-');
    expect(JSON.stringify(job?.env)).not.toContain(value);
    expect(house.sessions[0]?.secrets).toMatchObject([
      { name: 'API_KEY', value, placeholder: job?.env.API_KEY, headers: ['x-api-key'] },
    ]);
    expect(house.store.request(id)).toMatchObject({ status: 'failed', error: null });
    expect(house.store.result(id)).toMatchObject({
      stdout: 'got [redacted]\n',
      stderr: '[redacted]',
      exitCode: 3,
      redactions: 2,
      truncated: false,
      timedOut: false,
    });
  });

  it('gets the real value only of a secret with raw delivery, and that one stays out of the gateway', async () => {
    const house = openHouse();
    const id = addSecret(house, 'SIGNING_KEY', 'raw');
    await run(house, { secrets: ['SIGNING_KEY'] });
    expect(house.backend.jobs[0]?.env.SIGNING_KEY).toBe(house.values.get(id)?.value);
    expect(house.sessions[0]?.secrets).toEqual([]);
  });

  it('is on record as running before anything of it runs', async () => {
    const house = openHouse();
    let seen: string | undefined;
    const id = approved(house);
    house.backend.script = async () => {
      seen = status(house, id);
      return { kind: 'exited', exitCode: 0 };
    };
    house.scheduler.enqueue(id);
    await untilFinal(house, id);
    expect(seen).toBe('running');
    expect(status(house, id)).toBe('success');
  });

  it('L185 happens once, however often it is asked for', async () => {
    const house = openHouse();
    const id = approved(house);
    house.switches.paused = true;
    for (let times = 0; times < 5; times += 1) house.scheduler.enqueue(id);
    expect(house.scheduler.counts().queued).toBe(1);
    house.switches.paused = false;
    house.scheduler.pump();
    house.scheduler.enqueue(id);
    await untilFinal(house, id);
    house.scheduler.enqueue(id);
    expect(house.backend.jobs).toHaveLength(1);
  });

  it('wakes its agent, unless somebody waits for the answer', async () => {
    const house = openHouse();
    await run(house);
    expect(house.store.dueWakes(Date.now() + 1000, 10)).toHaveLength(1);
    house.switches.waiter = true;
    await run(house);
    expect(house.store.dueWakes(Date.now() + 1000, 10)).toHaveLength(1);
  });
});

describe('what is not what was approved never runs', () => {
  const ends = async (house: House, id: string, code: string): Promise<void> => {
    house.scheduler.enqueue(id);
    await untilFinal(house, id);
    expect(house.store.request(id)).toMatchObject({ status: 'failed', error: { code } });
    expect(house.backend.jobs).toHaveLength(0);
    expect(house.store.result(id)).toBeNull();
  };

  it('L190 a changed byte of stored code', async () => {
    const house = openHouse();
    const id = approved(house, { code: 'console.log(1)' });
    tamper(house, 'UPDATE code_blobs SET bytes = ?', Buffer.from('console.log(2)'));
    await ends(house, id, 'digest_mismatch');
    expect(auditKinds(house)).toContain('run.digest_mismatch');
  });

  it('L190 a changed stored manifest', async () => {
    const house = openHouse();
    const id = approved(house);
    tamper(house, `UPDATE manifests SET json = replace(json, 'api.example.com', 'evil.example.com')`);
    await ends(house, id, 'digest_mismatch');
  });

  it('L187 a secret with a new value, another binding or another delivery', async () => {
    const house = openHouse();
    const secretId = addSecret(house, 'API_KEY');
    const rotated = approved(house, { secrets: ['API_KEY'] });
    house.store.replaceSecretValue(secretId, randomBytes(64), 'cli', Date.now());
    house.values.set(secretId, { version: 2, value: fakeKey() });
    await ends(house, rotated, 'secret_changed');
    const bound = approved(house, { secrets: ['API_KEY'] });
    const places = { headers: [], query: [], path: false, json: [], form: [] };
    house.store.setBinding(secretId, { hosts: ['other.example.com'], places, source: 'owner' }, 'cli', Date.now());
    await ends(house, bound, 'secret_changed');
    const delivered = approved(house, { secrets: ['API_KEY'] });
    house.store.setSecretDelivery(secretId, 'raw', 'cli', Date.now());
    await ends(house, delivered, 'secret_changed');
    const removed = approved(house, { secrets: ['API_KEY'] });
    house.store.removeSecret(secretId, 'cli', Date.now());
    await ends(house, removed, 'secret_changed');
  });

  it('L187 a request of an agent that was revoked or paused meanwhile', async () => {
    const house = openHouse();
    const agentId = addAgent(house.store);
    const paused = approved(house, { agentId });
    house.store.setAgentPaused(agentId, true, 'cli', Date.now());
    await ends(house, paused, 'agent_paused');
    const revoked = approved(house, { agentId });
    house.store.revokeAgent(agentId, 'cli', Date.now());
    await ends(house, revoked, 'agent_revoked');
  });

  it('one whose trust was taken back before it started', async () => {
    const house = openHouse();
    const id = approved(house, { decision: 'forever' });
    house.store.revokeAllTrust('cli', Date.now());
    await ends(house, id, 'trust_revoked');
  });

  it('anything while the vault is locked or the sandbox is down', async () => {
    const house = openHouse();
    house.switches.unlocked = false;
    await ends(house, approved(house), 'vault_locked');
    house.switches.unlocked = true;
    house.backend.state = { ready: false, reason: 'it is down' };
    await ends(house, approved(house), 'sandbox_unavailable');
  });
});

describe('a run that has to end', () => {
  const hang: Step = () => new Promise(() => {});

  it('is stopped by its owner', async () => {
    const house = openHouse();
    house.backend.script = hang;
    const id = approved(house);
    house.scheduler.enqueue(id);
    await until(house, id, (state) => state === 'running');
    expect(house.scheduler.kill(id)).toBe(true);
    await untilFinal(house, id);
    expect(house.store.request(id)).toMatchObject({ status: 'failed', error: { code: 'killed' } });
    expect(house.scheduler.kill(id)).toBe(false);
  });

  it('is stopped when it puts a secret where it may not go; its trust is suspended and the owner told', async () => {
    const house = openHouse();
    addSecret(house, 'API_KEY');
    house.backend.script = async () => {
      house.sessions[0]?.onTripwire({
        secrets: [{ secretId: 'x', name: 'API_KEY' }],
        method: 'GET',
        host: 'evil.example.com',
        port: 443,
        where: 'header',
        header: 'x-leak',
      });
      return { kind: 'exited', exitCode: 0 };
    };
    const id = await run(house, { secrets: ['API_KEY'], decision: 'forever' });
    expect(house.store.request(id)).toMatchObject({ status: 'failed', error: { code: 'secret_misplaced' } });
    expect(house.store.trustEntries()).toMatchObject([{ suspendReason: expect.stringContaining('evil.example.com') }]);
    expect(auditKinds(house)).toEqual(expect.arrayContaining(['run.tripwire', 'trust.suspended']));
    expect(house.notices).toEqual([expect.stringContaining('API_KEY')]);
  });

  it('is stopped when it only floods, and what it wrote is capped', async () => {
    const house = openHouse();
    house.backend.script = async (_job, io) => {
      const chunk = new Uint8Array(1024 * 1024).fill(0x61);
      for (let times = 0; times < 80 && !io.signal.aborted; times += 1) io.stdout(chunk);
      return { kind: 'exited', exitCode: 0 };
    };
    const id = await run(house);
    expect(house.store.request(id)).toMatchObject({ status: 'failed', error: { code: 'output_flood' } });
    expect(house.store.result(id)?.stdout).toHaveLength(1024 * 1024);
    expect(house.store.result(id)?.truncated).toBe(true);
  });

  it('survives a backend that breaks', async () => {
    const house = openHouse();
    house.backend.script = () => Promise.reject(new Error('the child is gone'));
    const id = await run(house);
    expect(house.store.request(id)).toMatchObject({ status: 'failed', error: { code: 'sandbox_broken' } });
  });

  it('K181 is interrupted by a shutdown, together with what never started, and runs never again', async () => {
    const house = openHouse();
    house.backend.script = hang;
    house.switches.concurrent = 1;
    const agentId = addAgent(house.store);
    const ids = [approved(house, { agentId }), approved(house, { agentId })];
    for (const id of ids) house.scheduler.enqueue(id);
    await until(house, ids[0] ?? '', (state) => state === 'running');
    await house.scheduler.stop();
    expect(ids.map((id) => status(house, id))).toEqual(['interrupted', 'interrupted']);
    for (const id of ids) house.scheduler.enqueue(id);
    expect(house.backend.jobs).toHaveLength(1);
  });
});

describe('a store that takes no writes', () => {
  const full = (): never => {
    throw new CodedError('storage_unavailable', 'The disk is full');
  };
  const retryMs = 5_000;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('P259 runs nothing while the start cannot be recorded, and runs it once when it can', async () => {
    const broken: Partial<Store> = { startRun: full };
    const house = openHouse(undefined, broken);
    const id = approved(house);
    house.scheduler.enqueue(id);
    expect(house.backend.jobs).toHaveLength(0);
    vi.advanceTimersByTime(retryMs);
    expect(house.backend.jobs).toHaveLength(0);
    expect(status(house, id)).toBe('approved');
    delete broken.startRun;
    vi.advanceTimersByTime(retryMs);
    await untilFinal(house, id);
    expect(house.backend.jobs).toHaveLength(1);
  });

  it('L188 runs nothing when somebody else has taken the approval', () => {
    const house = openHouse(undefined, { startRun: () => false });
    house.scheduler.enqueue(approved(house));
    expect(house.backend.jobs).toHaveLength(0);
    expect(house.scheduler.counts()).toEqual({ running: 0, queued: 0 });
  });

  it('P259 keeps the result of a run until it can be written', async () => {
    const broken: Partial<Store> = { finishRun: full };
    const house = openHouse(undefined, broken);
    house.backend.script = async (_job, io) => {
      io.stdout(bytes('kept'));
      return { kind: 'exited', exitCode: 0 };
    };
    const id = approved(house);
    house.scheduler.enqueue(id);
    await vi.waitFor(() => expect(house.scheduler.counts().running).toBe(0));
    expect(status(house, id)).toBe('running');
    delete broken.finishRun;
    vi.advanceTimersByTime(retryMs);
    expect(house.store.result(id)?.stdout).toBe('kept');
    expect(status(house, id)).toBe('success');
  });
});

describe('the order of runs', () => {
  it('is bounded in number, and agents take turns', async () => {
    const house = openHouse();
    house.switches.concurrent = 1;
    const order: string[] = [];
    house.backend.script = async (job) => {
      order.push(new TextDecoder().decode(job.code));
      return { kind: 'exited', exitCode: 0 };
    };
    house.switches.paused = true;
    const [a, b] = [addAgent(house.store), addAgent(house.store)];
    const ids = [
      ...['a1', 'a2', 'a3'].map((code) => approved(house, { agentId: a, code })),
      ...['b1'].map((code) => approved(house, { agentId: b, code })),
    ];
    for (const id of ids) house.scheduler.enqueue(id);
    expect(house.scheduler.counts()).toEqual({ running: 0, queued: 4 });
    house.switches.paused = false;
    house.scheduler.pump();
    expect(house.scheduler.counts()).toEqual({ running: 1, queued: 3 });
    for (const id of ids) await untilFinal(house, id);
    expect(order).toEqual(['a1', 'b1', 'a2', 'a3']);
  });

  it('keeps the memory of all runs within the budget', async () => {
    const house = openHouse();
    house.backend.script = () => new Promise(() => {});
    for (const memoryMb of [2048, 2048, 64]) {
      house.scheduler.enqueue(approved(house, { memoryMb }));
    }
    expect(house.scheduler.counts()).toEqual({ running: 2, queued: 1 });
    expect(house.scheduler.killAll()).toBe(3);
  });
});

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { isFinal, type RequestState, type TrustLevel } from '../../contract/states.ts';
import { manifestDigest, trustKey } from '../../main/core/digest.ts';
import type { EgressSpec } from '../../main/core/egressSpec.ts';
import { makeId } from '../../main/core/ids.ts';
import { silentLog } from '../../main/core/log.ts';
import { buildManifest } from '../../main/core/manifest.ts';
import { Redactor } from '../../main/core/redaction.ts';
import { planRequest } from '../../main/core/requestPlan.ts';
import { ChangeSignal } from '../../main/core/signal.ts';
import { systemClock } from '../../main/core/systemClock.ts';
import { RequestAnnouncer } from '../../main/requests/requestEvents.ts';
import type { Backend, BackendStatus, Carrier, SandboxExit, SandboxIo, SandboxJob } from '../../main/runs/backend.ts';
import { Scheduler } from '../../main/runs/scheduler.ts';
import { anyTunnel } from '../../main/runs/testDoor.ts';
import { openStore, type Store } from '../../main/store/store.ts';

const carrier = { image: '', runner: '', seccomp: '' };
export const fakeKey = (): string => `sk-fake-${randomBytes(20).toString('hex')}`;
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export type Step = (job: SandboxJob, io: SandboxIo) => Promise<SandboxExit>;

/** A sandbox that plays what the test says and ends at once when it is told to. */
export class ScriptedBackend implements Backend {
  readonly isolation = 'embedded';
  readonly runtimes = ['quickjs'] as const;
  readonly jobs: SandboxJob[] = [];
  state: BackendStatus = { ready: true };
  script: Step = async () => ({ kind: 'exited', exitCode: 0 });
  ownCarrier: Carrier = carrier;
  readonly prepared: string[] = [];
  readonly #changed = new ChangeSignal();
  readonly onChange = this.#changed.onChange;
  /** Sets the state and announces it. */
  become(state: BackendStatus): void {
    this.state = state;
    this.#changed.emit();
  }
  status(): BackendStatus {
    return this.state;
  }
  carrier(): Carrier {
    return this.ownCarrier;
  }
  carries(_runtime: string, { image, runner, seccomp }: Carrier): boolean {
    const now = this.ownCarrier;
    return image === now.image && runner === now.runner && seccomp === now.seccomp;
  }
  notes(): readonly string[] {
    return [];
  }
  prepare(runtime: string): void {
    this.prepared.push(runtime);
  }
  keepWarm(): void {}
  resizePool(): void {}
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

export type RunHouse = ReturnType<typeof openRunHouse>;

/**
 * A scheduler on a real store, with a sandbox that plays a script. `broken`: operations that fail as the test says, for as long
 * as they are there. Call `end` after the test.
 */
export function openRunHouse(broken: Partial<Store> = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'oauth3-runs-'));
  const store = openStore({ dataDir, log: silentLog });
  store.setMacKey(randomBytes(32));
  const backend = new ScriptedBackend();
  const values = new Map<string, { version: number; value: string }>();
  const sessions: EgressSpec[] = [];
  const notices: string[] = [];
  const switches = { paused: false, unlocked: true, concurrent: 4, perAgent: 3, waiter: false, memoryMb: 4096 };
  const events = new RequestAnnouncer(silentLog);
  const scheduler = new Scheduler({
    records: new Proxy(store, { get: (target, name) => Reflect.get(broken, name) ?? Reflect.get(target, name) }),
    backends: [backend],
    openEgress: (spec) => {
      sessions.push(spec);
      return {
        ...anyTunnel,
        records: [],
        close: () => {},
        request: async () => ({ status: 200, statusText: 'OK', headers: [], body: (async function* () {})() }),
      };
    },
    vault: { isUnlocked: () => switches.unlocked, value: (id) => values.get(id) ?? null },
    redactor: async () => new Redactor([...values.values()].map(({ value }) => ({ name: 'KEY', value }))),
    events,
    hasWaiter: () => switches.waiter,
    notice: (text) => notices.push(text),
    isPaused: () => switches.paused,
    concurrentRuns: () => switches.concurrent,
    concurrentRunsPerAgent: () => switches.perAgent,
    memoryBudgetMb: () => switches.memoryMb,
    clock: systemClock,
    random: randomBytes,
    log: silentLog,
  });
  const end = async (): Promise<void> => {
    await scheduler.stop();
    store.close();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { end, dataDir, store, backend, values, sessions, notices, switches, events, scheduler };
}

export function addAgent(store: Store, name = `agent-${randomBytes(3).toString('hex')}`): string {
  const tokenSha256 = randomBytes(32).toString('hex');
  return store.addAgent({ id: makeId('agt', randomBytes), name, tokenSha256 }, 'cli', Date.now()).id;
}

export function addSecret(
  { store, values }: RunHouse,
  name: string,
  delivery: 'placeholder' | 'raw' = 'placeholder',
): string {
  const id = makeId('sec', randomBytes);
  const places = { headers: ['x-api-key'], query: [], path: false, json: [], form: [] };
  const binding = { hosts: ['api.example.com'], places, source: 'owner' } as const;
  store.addSecret({ id, name, encrypted: randomBytes(64), delivery, binding }, 'cli', Date.now());
  values.set(id, { version: 1, value: fakeKey() });
  return id;
}

export type Wish = Readonly<{
  agentId?: string;
  code?: string;
  secrets?: string[];
  decision?: TrustLevel;
  memoryMb?: number;
}>;

/** A request that its owner approved, ready to be enqueued. */
export function approved({ store }: RunHouse, wish: Wish = {}): string {
  const code = wish.code ?? `console.log(${JSON.stringify(randomBytes(4).toString('hex'))})`;
  const agentId = wish.agentId ?? addAgent(store);
  const body = {
    skill_id: 'skill',
    secrets: wish.secrets ?? [],
    args: { n: 1 },
    metadata: { network: ['api.example.com'], memory_mb: wish.memoryMb ?? 64 },
  };
  const plan = planRequest(body, {}, { runtime: 'quickjs', minimumIsolation: 'embedded', localNames: new Set() });
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

export const status = ({ store }: RunHouse, id: string) => store.request(id)?.status;
export const auditKinds = ({ store }: RunHouse): readonly string[] =>
  store.audit({ limit: 500 }).map(({ kind }) => kind);

/** Waits until the request has a state, by the announcements of state changes. */
export function until(house: RunHouse, id: string, wanted: (state: RequestState) => boolean): Promise<void> {
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
export const untilFinal = (house: RunHouse, id: string) => until(house, id, (state) => isFinal(state));

export async function run(house: RunHouse, wish: Wish = {}): Promise<string> {
  const id = approved(house, wish);
  house.scheduler.enqueue(id);
  await untilFinal(house, id);
  return id;
}

/** Changes a row behind the app's back. */
export function tamper(house: RunHouse, sql: string, ...values: readonly unknown[]): void {
  const database = new Database(join(house.dataDir, 'proxy.db'));
  const { changes } = database.prepare(sql).run(...values);
  database.close();
  if (changes === 0) throw new Error('nothing was there to tamper with');
}

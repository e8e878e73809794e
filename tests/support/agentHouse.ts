import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Card, CardOutcome } from '../../contract/card.ts';
import type { Runtime } from '../../contract/runtime.ts';
import { defaultSettings, type SettingKey, type Settings } from '../../contract/settings.ts';
import type { VaultState, Verdict } from '../../contract/states.ts';
import type { Channel, DecisionResult } from '../../main/approvals/channel.ts';
import { ApprovalDesk } from '../../main/approvals/desk.ts';
import { type Bridge, createBridge } from '../../main/bridge/bridge.ts';
import { makeAgentToken } from '../../main/core/agentIdentity.ts';
import { makeId } from '../../main/core/ids.ts';
import { silentLog } from '../../main/core/log.ts';
import type { SandboxChoice } from '../../main/core/manifest.ts';
import type { AgentRecord, RunResult, SecretRecord } from '../../main/core/records.ts';
import type { RunLauncher } from '../../main/core/runPorts.ts';
import { FetchTextError } from '../../main/net/fetchText.ts';
import { AgentAuth } from '../../main/requests/agentAuth.ts';
import { ClockGuard } from '../../main/requests/clockGuard.ts';
import { followRequests } from '../../main/requests/deskFollower.ts';
import { RequestExpiry } from '../../main/requests/expiry.ts';
import { Intake } from '../../main/requests/intake.ts';
import { ManifestShelf } from '../../main/requests/manifestShelf.ts';
import { Pairing } from '../../main/requests/pairing.ts';
import type { DeskPort } from '../../main/requests/ports.ts';
import { RequestAnnouncer } from '../../main/requests/requestEvents.ts';
import { RequestWaits } from '../../main/requests/requestWaits.ts';
import { RunCards } from '../../main/requests/runCards.ts';
import { RunRefresh } from '../../main/requests/runRefresh.ts';
import { RunSubject } from '../../main/requests/runSubject.ts';
import { RequestStatus } from '../../main/requests/status.ts';
import { openStore, type Store } from '../../main/store/store.ts';

export const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));

/** Both clocks, moved by the test only. */
export class TestClock {
  wall = Date.UTC(2030, 0, 1);
  monotonic = 1_000_000;
  wallMs = (): number => this.wall;
  monotonicMs = (): number => this.monotonic;
  pass(ms: number): void {
    this.wall += ms;
    this.monotonic += ms;
  }
}

export const emptyResult: RunResult = {
  stdout: '',
  stderr: '',
  exitCode: 0,
  signal: null,
  durationMs: 5,
  timedOut: false,
  truncated: false,
  redactions: 0,
};

/** Runs that end when, and as, the test says. */
export class TestRuns implements RunLauncher {
  readonly enqueued: string[] = [];
  /** Set: every run ends at once like this. */
  answer: RunResult | null = null;
  readonly #store: Store;
  readonly #events: RequestAnnouncer;
  readonly #clock: TestClock;

  constructor(store: Store, events: RequestAnnouncer, clock: TestClock) {
    this.#store = store;
    this.#events = events;
    this.#clock = clock;
  }

  enqueue(requestId: string): void {
    this.enqueued.push(requestId);
    if (this.answer !== null) this.finish(requestId, this.answer);
  }

  waitsFor(): string | null {
    return null;
  }

  finish(requestId: string, result: RunResult): void {
    const nowMs = this.#clock.wall;
    this.#store.startRun(requestId, { runId: makeId('run', random), nowMs });
    this.#announce(requestId);
    const status = result.exitCode === 0 ? 'success' : 'failed';
    this.#store.finishRun({ requestId, status, nowMs, result, error: null, egress: [], wakeText: null });
    this.#announce(requestId);
  }

  kill(): boolean {
    return false;
  }
  killAll(): number {
    return 0;
  }
  counts() {
    return { running: 0, queued: 0 };
  }

  #announce(requestId: string): void {
    const request = this.#store.request(requestId);
    if (request !== null) this.#events.emitChanged(request);
  }
}

/** A channel that keeps what it was shown. */
export class TestChannel implements Channel {
  readonly name: Channel['name'];
  readonly shown: Card[] = [];
  readonly closed: CardOutcome[] = [];
  constructor(name: Channel['name']) {
    this.name = name;
  }
  async show(card: Card) {
    this.shown.push(card);
    return { reached: true };
  }
  async update(card: Card) {
    this.shown.push(card);
  }
  async close(_card: Pick<Card, 'subject' | 'id'>, outcome: CardOutcome) {
    this.closed.push(outcome);
  }
}

export type Answer = Readonly<{ status: number; headers: IncomingHttpHeaders; text: string; json: unknown }>;

/** A text at the top of an answer, empty if it is not there. */
export function field(answer: Answer, name: string): string {
  const { json } = answer;
  if (typeof json !== 'object' || json === null || !Object.hasOwn(json, name)) return '';
  return String(Object.entries(json).find(([key]) => key === name)?.[1]);
}

/** Status and error code together, as every refusal is told. */
export function refusalOf(answer: Answer): string {
  const shape = z.object({ status: z.literal('error'), error: z.object({ code: z.string(), message: z.string() }) });
  const parsed = shape.safeParse(answer.json);
  return `${answer.status} ${parsed.success ? parsed.data.error.code : 'without envelope'}`;
}

/** What the rest of the house is like; tests change it. */
type World = {
  vault: VaultState;
  paused: boolean;
  runtime: Runtime;
  localNames: Set<string>;
  isolationNotes: readonly string[];
  settings: { -readonly [Key in SettingKey]: Settings[Key] };
  /** What is served at which URL; everything else cannot be reached. */
  sources: Map<string, string | Uint8Array>;
  /** Where a source was in the end: its URL -> the last one. */
  redirects: Map<string, string>;
  sandbox: SandboxChoice;
  /** What `sandbox` can run. */
  runtimes: Set<Runtime>;
};

export type HouseOptions = Readonly<{
  dataDir?: string;
  bind?: readonly string[];
  allowedHosts?: readonly string[];
  channels?: readonly Channel['name'][];
  clock?: TestClock;
}>;

/** The agent side as one piece: real store, desk, bridge over HTTP; runs, sandboxes and clocks are the test's. */
export async function startAgentHouse(options: HouseOptions = {}) {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'oauth3-agent-'));
  const clock = options.clock ?? new TestClock();
  const store = openStore({ dataDir, log: silentLog, clock });
  store.setMacKey(random(32));
  const world: World = {
    vault: 'unlocked',
    paused: false,
    runtime: 'quickjs',
    runtimes: new Set(['quickjs']),
    localNames: new Set(),
    isolationNotes: [],
    settings: { ...defaultSettings },
    sources: new Map(),
    redirects: new Map(),
    sandbox: {
      ready: true,
      waitsFor: null,
      facts: { isolation: 'embedded', carrier: { image: '', runner: 'quickjs-test', seccomp: '' } },
    },
  };

  const events = new RequestAnnouncer(silentLog);
  const waits = new RequestWaits(events);
  const clockGuard = new ClockGuard(store, clock);
  const runs = new TestRuns(store, events, clock);
  const pick = (runtime: Runtime): SandboxChoice =>
    world.runtimes.has(runtime) ? world.sandbox : { ready: false, reason: `There is no engine for ${runtime}` };
  const sandbox = { defaultRuntime: () => world.runtime, pick, want: pick, notes: () => world.isolationNotes };
  const settings = { get: <Key extends SettingKey>(key: Key): Settings[Key] => world.settings[key] };
  const desk: DeskPort = {
    open: (subject, id) => approvals.open(subject, id),
    refresh: (subject, id) => approvals.refresh(subject, id),
    ended: (subject, id, outcome) => approvals.ended(subject, id, outcome),
  };
  const localNames = () => world.localNames;
  const pairing = new Pairing({ records: store, settings, clock, random, desk });
  const expiry = new RequestExpiry({
    records: store,
    events,
    clock,
    clockGuard,
    alsoExpire: (nowMs) => pairing.sweep(nowMs),
    log: silentLog,
  });
  const manifests = new ManifestShelf(store);
  const cards = new RunCards({ records: store, manifests, localNames, sandbox });
  const refresh = new RunRefresh({ records: store, sandbox, desk, clock });
  const common = { records: store, clock, clockGuard, random, sandbox, launcher: runs, events, waits };
  const vault = { state: () => world.vault };
  const pause = { isPaused: () => world.paused };
  const subject = new RunSubject({ ...common, cards, refresh, expiry, vault, pause });
  const approvals = new ApprovalDesk({
    handlers: [subject, pairing],
    records: store,
    clock,
    audit: (event) => store.appendAudit(event, clock.wall),
    log: silentLog,
  });
  const channels = (options.channels ?? ['telegram']).map((name) => new TestChannel(name));
  for (const channel of channels) approvals.addChannel(channel);
  approvals.start();
  const unfollow = followRequests(events, desk);
  const intake = new Intake({
    ...common,
    manifests,
    settings,
    vault,
    pause,
    localNames,
    desk,
    fetchSource: async (url) => {
      const text = world.sources.get(url);
      if (text === undefined) throw new FetchTextError('dns_failed', url, 'no such name');
      const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
      return { bytes, finalUrl: world.redirects.get(url) ?? url };
    },
  });
  const status = new RequestStatus({ records: store, clock, events, waits, launcher: runs });
  expiry.start();

  const bridge: Bridge = createBridge({
    intake,
    status,
    pairing,
    auth: new AgentAuth(store, clock),
    health: async (detailed) => ({
      status: 'ok',
      telegram: 'not_configured',
      database: 'ok',
      ...(detailed && { vault: world.vault, version: '0.0.0' }),
    }),
    config: { port: 0, bind: options.bind ?? ['127.0.0.1'], allowedHosts: options.allowedHosts ?? [] },
    clock,
    log: silentLog,
  });
  const { url } = await bridge.listen();
  const port = Number(new URL(url).port);

  const stop = async (): Promise<void> => {
    await bridge.close();
    waits.close();
    pairing.close();
    expiry.stop();
    unfollow();
    store.close();
  };

  const house = {
    dataDir,
    clock,
    world,
    store,
    events,
    waits,
    runs,
    desk: approvals,
    channels,
    refresh,
    expiry,
    subject,
    status,
    pairing,
    clockGuard,
    bridge,
    url,
    port,
    addAgent(name: string): Readonly<{ agent: AgentRecord; token: string }> {
      const { token, sha256 } = makeAgentToken(random);
      const agent = store.addAgent({ id: makeId('agt', random), name, tokenSha256: sha256 }, 'cli', clock.wall);
      return { agent, token };
    },
    addSecret(
      name: string,
      hosts: readonly string[] = [],
      delivery: 'placeholder' | 'raw' = 'placeholder',
    ): SecretRecord {
      return store.addSecret(
        {
          id: makeId('sec', random),
          name,
          encrypted: random(32),
          delivery,
          binding: { hosts, places: { headers: [], query: [], path: false, json: [], form: [] }, source: 'owner' },
        },
        'desktop',
        clock.wall,
      );
    },
    /** One request; `body` is sent as JSON unless it is text or bytes already. */
    call: (method: string, path: string, sent: Partial<CallOptions> = {}) => call(port, method, path, sent),
    /** What the owner would press now, on the card as it is. */
    async press(id: string, verdict: Verdict, more: Readonly<{ argsPolicy?: 'exact' | 'any'; reason?: string }> = {}) {
      const card = approvals.card('run', id);
      return approvals.decide({
        subject: 'run',
        id,
        revision: card?.revision ?? '',
        verdict,
        principal: 'desktop',
        ...more,
      }) satisfies Promise<DecisionResult>;
    },
    auditKinds: (): string[] => [...store.eachAudit()].map((event) => event.kind),
    stop,
    async end(): Promise<void> {
      await stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  return house;
}
export type AgentHouse = Awaited<ReturnType<typeof startAgentHouse>>;

export type CallOptions = Readonly<{
  token: string | undefined;
  headers: OutgoingHttpHeaders;
  body: unknown;
  signal: AbortSignal;
}>;

export function call(port: number, method: string, path: string, sent: Partial<CallOptions> = {}): Promise<Answer> {
  const isRaw = typeof sent.body === 'string' || sent.body instanceof Uint8Array;
  const payload = sent.body === undefined ? null : isRaw ? sent.body : JSON.stringify(sent.body);
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        agent: false,
        headers: {
          ...(sent.token !== undefined && { authorization: `Bearer ${sent.token}` }),
          ...(payload !== null && { 'content-type': 'application/json' }),
          ...sent.headers,
        },
        ...(sent.signal !== undefined && { signal: sent.signal }),
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, json: parsed(text) });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(payload ?? undefined);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Sends bytes as they are and collects everything until the other side ends. */
export function rawCall(port: number, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
    socket.write(bytes);
  });
}

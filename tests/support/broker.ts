import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Card } from '../../contract/card.ts';
import type { OwnerActions } from '../../contract/owner.ts';
import { isFinal, requestStateSchema, type Verdict } from '../../contract/states.ts';
import type { Channel, DecisionResult } from '../../main/approvals/channel.ts';
import { NodeChildLauncher } from '../../main/backends/embedded/nodeChild.ts';
import { type Broker, type BrokerPorts, createBroker } from '../../main/broker.ts';
import { silentLog } from '../../main/core/log.ts';
import { readStartFacts } from '../../main/startup.ts';
import { passphraseProtector } from '../../main/vault/passphraseProtector.ts';
import { noEngine } from './noEngine.ts';

const cheapCostLog2 = 10;
const sandboxProgram = fileURLToPath(new URL('../../sandbox/quickjs/child.ts', import.meta.url));

/** A random, obviously fake key. */
export const fakeKey = (): string => `sk-fake-${randomBytes(24).toString('hex')}`;

export type TestBrokerOptions = Readonly<{
  /** Default: a new folder that goes with `stop`. Given: it stays, so that a second broker can open it. */
  dataDir?: string;
  /** For what can be made again. Default: a new folder that goes with `stop`. */
  cacheDir?: string;
  /** Passphrase of the vault; null leaves it without one. Default: a random one, unlocked at the start. */
  passphrase?: string | null;
  /** More of INTERFACES 2: `OAUTH3_EGRESS_HOSTS`, `OAUTH3_EGRESS_CA_FILE`, ... Nothing of the real environment counts. */
  env?: Readonly<Record<string, string>>;
  /** PEM of roots that upstream connections trust besides the bundled ones. */
  rootsPem?: string;
  ports?: Partial<BrokerPorts>;
}>;

export type Answer = Readonly<{ status: number; body: Readonly<Record<string, unknown>> }>;

/** An agent as a program sees the bridge. */
export type TestAgent = Readonly<{
  name: string;
  token: string;
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  execute(body: unknown): Promise<Answer>;
  /** Long-polls until the request is final; rejects after `timeoutMs`. */
  result(requestId: string, timeoutMs?: number): Promise<Readonly<Record<string, unknown>>>;
}>;

export type TestBroker = Readonly<{
  broker: Broker;
  url: string;
  dataDir: string;
  passphrase: string | null;
  owner: OwnerActions;
  agent(name?: string): TestAgent;
  agentWithToken(name: string, token: string): TestAgent;
  /** Decides the waiting card of a run as the owner in the window would. */
  decide(
    requestId: string,
    verdict: Verdict,
    more?: Readonly<{ argsPolicy?: 'exact' | 'any' }>,
  ): Promise<DecisionResult>;
  card(requestId: string): Card;
  stop(): Promise<void>;
}>;

/** The whole broker in this process, on a free port, with the real sandbox and no outside but what a test adds. */
export async function startTestBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const scratch = mkdtempSync(join(tmpdir(), 'oauth3-test-'));
  const passphrase = options.passphrase === undefined ? randomBytes(12).toString('hex') : options.passphrase;
  const dataDir = options.dataDir ?? join(scratch, 'data');
  const file = (name: string, text: string): string => {
    const path = join(scratch, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const { config } = readStartFacts({
    ...noEngine,
    PORT: '0',
    OAUTH3_DATA_DIR: dataDir,
    ...(passphrase === null ? {} : { OAUTH3_PASSPHRASE_FILE: file('passphrase', passphrase) }),
    ...(options.rootsPem === undefined ? {} : { OAUTH3_EGRESS_CA_FILE: file('roots.pem', options.rootsPem) }),
    ...options.env,
  });
  const broker = createBroker({
    config,
    dataDir,
    cacheDir: options.cacheDir ?? join(scratch, 'cache'),
    ports: {
      version: '0.0.0-test',
      log: silentLog,
      keyProtectors: [],
      passphraseProtector: (text) => passphraseProtector(text, cheapCostLog2),
      sandboxLauncher: new NodeChildLauncher(sandboxProgram),
      ...options.ports,
    },
  });
  const cleanUp = (): void => rmSync(scratch, { recursive: true, force: true });
  const { url } = await broker.start().catch((error: unknown) => {
    cleanUp();
    throw error;
  });
  const card = (requestId: string): Card => {
    const found = broker.desk.card('run', requestId);
    if (found === null) throw new Error(`the request ${requestId} does not wait`);
    return found;
  };
  return {
    broker,
    url,
    dataDir,
    passphrase,
    owner: broker.owner,
    agent: (name = `agent-${randomBytes(3).toString('hex')}`) =>
      agentAt(url, name, broker.owner.addAgent('desktop', name).token),
    agentWithToken: (name, token) => agentAt(url, name, token),
    card,
    decide: (id, verdict, more = {}) =>
      broker.desk.decide({
        subject: 'run',
        id,
        revision: card(id).revision,
        verdict,
        principal: 'desktop',
        ...more,
      }),
    async stop() {
      await broker.stop();
      cleanUp();
    },
  };
}

/** An agent of a broker that runs anywhere. */
export function agentAt(url: string, name: string, token: string): TestAgent {
  const call = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    if (answer === null || typeof answer !== 'object') throw new Error('the bridge answered no object');
    return { status: response.status, body: { ...answer } };
  };
  return {
    name,
    token,
    call,
    execute: (body) => call('POST', '/execute', body),
    async result(requestId, timeoutMs = 20_000) {
      const end = performance.now() + timeoutMs;
      for (let left = timeoutMs; left > 0; left = end - performance.now()) {
        const { body } = await call('GET', `/requests/${requestId}?wait=${Math.ceil(Math.min(left, 60_000) / 1000)}`);
        if (isFinal(requestStateSchema.parse(body.status))) return body;
      }
      throw new Error(`the request ${requestId} did not become final in ${timeoutMs} ms`);
    },
  };
}

/** A channel that remembers what it was asked to show, for tests of who is told what. */
export function recordingChannel(
  name: Channel['name'] = 'window',
): Channel & Readonly<{ shown: Card[]; closed: string[] }> {
  const shown: Card[] = [];
  const closed: string[] = [];
  return {
    name,
    shown,
    closed,
    async show(card) {
      shown.push(card);
      return { reached: true };
    },
    async update(card) {
      shown.push(card);
    },
    async close(card) {
      closed.push(card.id);
    },
  };
}

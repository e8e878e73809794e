import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../core/log.ts';
import { type Manifest, noPlaces } from '../core/manifestTypes.ts';
import type { DecisionInput, NewRequest, RequestRecord, RunResult } from '../core/records.ts';
import { openStore, type Store, type StoreOptions } from './store.ts';

/** A point in time for tests; what follows is told as minutes after it. */
export const start = Date.UTC(2026, 0, 5, 12);
export const minute = 60_000;

let counter = 0;
export const nextId = (prefix: string): string => {
  counter += 1;
  return `${prefix}_${counter}_${randomBytes(6).toString('hex')}`;
};

export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

export type TempStore = Readonly<{
  dataDir: string;
  /** The store that is open now. */
  current(): Store;
  reopen(options?: Partial<StoreOptions>): Store;
  dispose(): void;
}>;

/** A store in a folder of its own, with a key for seals as an unlocked vault gives it. */
export function tempStore(): TempStore {
  const dataDir = mkdtempSync(join(tmpdir(), 'oauth3-store-'));
  const macKey = randomBytes(32);
  let open: Store | null = null;
  const close = () => {
    open?.close();
    open = null;
  };
  const reopen = (options: Partial<StoreOptions> = {}) => {
    close();
    open = openStore({ dataDir, log: silentLog, ...options });
    open.setMacKey(macKey);
    return open;
  };
  reopen();
  return {
    dataDir,
    current: () => open ?? reopen(),
    reopen,
    dispose() {
      close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export function givenAgent(store: Store, name = nextId('agent')): string {
  return store.addAgent({ id: nextId('agt'), name, tokenSha256: sha256(randomBytes(8)) }, 'desktop', start).id;
}

export function manifestOf(agentId: string, code: string, change: Partial<Manifest> = {}): Manifest {
  return {
    version: 1,
    agentId,
    skillId: 'weather',
    shown: { description: 'Reads the weather', skillUrl: '' },
    code: { sha256: sha256(code), length: Buffer.byteLength(code) },
    runtime: 'quickjs',
    isolation: { minimum: 'embedded', actual: 'embedded' },
    args: { sha256: sha256('{}'), json: '{}' },
    secrets: [],
    network: [{ host: 'api.example.com', port: 443 }],
    limits: { timeoutMs: 30_000, memoryMb: 256, cpus: 0.5 },
    carrier: { image: '', runner: '', seccomp: '' },
    ...change,
  };
}

export function requestOf(agentId: string, change: Partial<NewRequest> = {}, code = nextId('code')): NewRequest {
  const manifest = change.manifest ?? manifestOf(agentId, code);
  return {
    id: nextId('req'),
    agentId,
    skillId: manifest.skillId,
    manifest,
    manifestDigest: sha256(JSON.stringify(manifest)),
    trustKey: sha256(`trust ${manifest.code.sha256}`),
    code: Buffer.from(code),
    idempotencyKey: null,
    bodyHash: sha256('body'),
    createdAt: start,
    expiresAt: start + 30 * minute,
    trust: null,
    pendingCap: 20,
    ...change,
  };
}

/** A pending request of a new agent, or of the given one. */
export function givenRequest(
  store: Store,
  agentId = givenAgent(store),
  change: Partial<NewRequest> = {},
): RequestRecord {
  const written = store.insertRequest(requestOf(agentId, change));
  if (written.kind !== 'created') {
    throw new Error(`The fixture wanted a new request and got ${written.kind}.`);
  }
  return written.request;
}

export function once(request: RequestRecord, change: Partial<DecisionInput> = {}): DecisionInput {
  return {
    requestId: request.id,
    manifestDigest: request.manifestDigest,
    decision: 'once',
    principal: 'desktop',
    nowMs: start + minute,
    approvalId: nextId('apr'),
    ...change,
  };
}

export function deny(request: RequestRecord): DecisionInput {
  return once(request, { decision: 'deny', denyReason: 'not now' });
}

/** Trust 24h or forever, for the manifest as it was shown. */
export function standing(store: Store, request: RequestRecord, decision: '24h' | 'forever' = '24h'): DecisionInput {
  const manifest = store.manifest(request.manifestDigest);
  if (manifest === null) {
    throw new Error('The fixture found no manifest.');
  }
  return once(request, {
    decision,
    standing: {
      trustKey: request.trustKey,
      argsPolicy: 'exact',
      expiresAt: decision === '24h' ? start + 24 * 60 * minute : null,
      manifest,
      manifestDigest: request.manifestDigest,
      keepBindings: [],
    },
  });
}

export const someResult: RunResult = {
  stdout: 'hello',
  stderr: '',
  exitCode: 0,
  signal: null,
  durationMs: 12.6,
  timedOut: false,
  truncated: false,
  redactions: 1,
};

export function givenSecret(store: Store, name: string, encrypted: Uint8Array = randomBytes(40)) {
  return store.addSecret(
    {
      id: nextId('sec'),
      name,
      encrypted,
      delivery: 'placeholder',
      binding: { hosts: [], places: noPlaces, source: 'owner' },
    },
    'desktop',
    start,
  );
}

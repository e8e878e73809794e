import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { SecretInput, SecretView } from '../../contract/owner.ts';
import type { Subject } from '../../contract/states.ts';
import { ApprovalDesk } from '../../main/approvals/desk.ts';
import { FakeCardRecords, FakeHandler } from '../../main/approvals/fakes.ts';
import type { Log } from '../../main/core/log.ts';
import type { AuditInput, NonceRow } from '../../main/core/records.ts';
import type { TelegramOwner } from '../../main/telegram/commands.ts';
import { Invitations } from '../../main/telegram/invitations.ts';
import { Telegram } from '../../main/telegram/telegram.ts';
import { type BotApi, startBotApi } from './botApi.ts';

export const owner = 42;
export const secondApprover = 43;
export const stranger = 99;
export const group = -1001;
export const otherGroup = -2002;

/** Card rows, nonces, state and audit in memory: what outlives a restart. */
export class MemoryRecords extends FakeCardRecords {
  readonly nonces = new Map<string, NonceRow>();
  readonly states = new Map<string, string>();
  readonly events: AuditInput[] = [];

  saveNonces(rows: readonly NonceRow[]): void {
    for (const row of rows) this.nonces.set(row.nonce, row);
  }

  nonce(nonce: string): NonceRow | null {
    return this.nonces.get(nonce) ?? null;
  }

  removeNonces(subject: Subject, subjectId: string): void {
    for (const [nonce, row] of this.nonces) {
      if (row.subject === subject && row.subjectId === subjectId) this.nonces.delete(nonce);
    }
  }

  state(key: string): string | null {
    return this.states.get(key) ?? null;
  }

  setState(key: string, value: string): void {
    this.states.set(key, value);
  }

  appendAudit(event: AuditInput): void {
    this.events.push(event);
  }
}

/** What the bot may do for the owner, noted. */
export class FakeOwner implements TelegramOwner {
  readonly did: string[] = [];
  readonly stored: SecretInput[] = [];
  refuse: Error | null = null;

  async status(): ReturnType<TelegramOwner['status']> {
    return {
      version: '0.0.0',
      url: 'http://127.0.0.1:1',
      platform: 'Node 24.0.0',
      data_dir: '/data',
      vault: 'unlocked',
      vault_slots: [],
      paused: false,
      waiting: 0,
      running: 0,
      default_runtime: 'quickjs',
      sandbox: { embedded: 'ready', container: 'absent', gvisor: 'absent', kata: 'absent' },
      sandboxes: [],
      telegram: 'connected',
      database: 'ok',
      notes: [],
      engine_notes: [],
    };
  }

  secrets(): readonly SecretView[] {
    return this.stored.map((secret) => secretView(secret.name));
  }

  addSecret(principal: string, input: SecretInput): SecretView {
    if (this.refuse !== null) throw this.refuse;
    this.did.push(`add ${input.name} by ${principal}`);
    this.stored.push(input);
    return secretView(input.name);
  }

  removeSecret(principal: string, name: string): void {
    this.did.push(`remove ${name} by ${principal}`);
  }

  trust(): ReturnType<TelegramOwner['trust']> {
    return [];
  }

  revokeTrust(principal: string, id: string): void {
    this.did.push(`revoke ${id} by ${principal}`);
  }

  revokeAllTrust(principal: string): number {
    this.did.push(`revoke all by ${principal}`);
    return 3;
  }

  pause(principal: string): void {
    this.did.push(`pause by ${principal}`);
  }

  resume(principal: string): void {
    this.did.push(`resume by ${principal}`);
  }

  async panic(principal: string): ReturnType<TelegramOwner['panic']> {
    this.did.push(`panic by ${principal}`);
    return { runs_stopped: 1, trust_revoked: 2, agents_paused: 3 };
  }

  async audit(): ReturnType<TelegramOwner['audit']> {
    return [];
  }
}

function secretView(name: string): SecretView {
  const times = { created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z', last_used_at: null };
  const places = { headers: [], query: [], path: false, json: [], form: [] };
  return { name, delivery: 'placeholder', version: 1, hosts: [], ...places, ...times, unused: false, used_by: [] };
}

/** Keeps every line, so that a test can search them for what must not be logged. */
export function keepingLog(lines: string[]): Log {
  const keep = (fields: object, message: string): void => {
    lines.push(`${JSON.stringify(fields)} ${message}`);
  };
  return { debug: keep, info: keep, warn: keep, error: keep };
}

export type House = Readonly<{
  api: BotApi;
  desk: ApprovalDesk;
  handler: FakeHandler;
  records: MemoryRecords;
  owner: FakeOwner;
  telegram: Telegram;
  logged: string[];
  bound: string[];
  /** Moves the wall clock. */
  clock: { skewMs: number };
  /** The same house after a restart: same records and handler, new process state. */
  restarted(): Promise<House>;
  stop(): Promise<void>;
}>;

type Options = Readonly<{
  chatIds?: readonly number[];
  token?: string;
  subject?: Subject;
  api?: BotApi;
  records?: MemoryRecords;
  handler?: FakeHandler;
}>;

/** Desk and bot against a local Bot API server; the rest of the house is in memory. */
export async function startHouse(options: Options = {}): Promise<House> {
  const api = options.api ?? (await startBotApi());
  const records = options.records ?? new MemoryRecords();
  const handler = options.handler ?? new FakeHandler(options.subject ?? 'run');
  const logged: string[] = [];
  const bound: string[] = [];
  const clock = { skewMs: 0 };
  const fakeOwner = new FakeOwner();
  const clocks = { wallMs: () => Date.now() + clock.skewMs, monotonicMs: () => performance.now() };
  const log = keepingLog(logged);
  const audit = (event: AuditInput): void => records.appendAudit(event);
  const desk = new ApprovalDesk({ handlers: [handler], records, clock: clocks, audit, log });
  const telegram = new Telegram(
    {
      token: options.token ?? api.token,
      chatIds: options.chatIds ?? [owner, group],
      apiRoot: api.root,
      backoff: { firstMs: 5, maxMs: 40 },
    },
    {
      desk,
      owner: fakeOwner,
      confirmBinding: (id, name, hosts, principal) => {
        bound.push(`${id} ${name} ${hosts.join(',')} ${principal}`);
      },
      records,
      clock: clocks,
      random: (bytes) => randomBytes(bytes),
      log,
      invitations: new Invitations({ clock: clocks, random: randomBytes, changed: () => {} }),
      changed: () => {},
    },
  );
  desk.addChannel(telegram.channel);
  desk.start();
  telegram.start();
  return {
    api,
    desk,
    handler,
    records,
    owner: fakeOwner,
    telegram,
    logged,
    bound,
    clock,
    restarted: async () => {
      await telegram.stop();
      return startHouse({ ...options, api, records, handler });
    },
    stop: async () => {
      await telegram.stop();
      await api.close();
    },
  };
}

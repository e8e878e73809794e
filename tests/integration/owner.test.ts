import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { CodedError } from '../../contract/errors.ts';
import type { VaultState } from '../../contract/states.ts';
import { silentLog } from '../../main/core/log.ts';
import { systemClock } from '../../main/core/systemClock.ts';
import { parseLocalServices } from '../../main/net/localServices.ts';
import { LocalServiceBook } from '../../main/owner/localServices.ts';
import { createOwner } from '../../main/owner/owner.ts';
import { PauseSwitch } from '../../main/owner/panic.ts';
import type { SampleDeps } from '../../main/owner/sample.ts';
import { SettingsBook } from '../../main/owner/settings.ts';
import { openStore } from '../../main/store/store.ts';
import { allText } from '../support/allText.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0).reverse()) clean();
});

const fakeKey = (): string => `sk-fake-${randomBytes(20).toString('hex')}`;

function openHouse(environmentServices = '') {
  const dataDir = mkdtempSync(join(tmpdir(), 'oauth3-owner-'));
  const store = openStore({ dataDir, log: silentLog });
  store.setMacKey(randomBytes(32));
  cleanups.push(() => {
    store.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const notices: string[] = [];
  const refreshed: string[] = [];
  const stopped: string[] = [];
  let vaultState: VaultState = 'unlocked';
  const deps: SampleDeps = {
    records: store,
    vault: {
      state: () => vaultState,
      slots: () => ['passphrase'],
      encrypt: ({ id, name, version }, value) =>
        createHash('sha512').update(`${id} ${name} ${version} ${value}`).digest(),
      unlock: async () => {
        vaultState = 'unlocked';
      },
      setPassphrase: async () => {},
      lock: () => {
        vaultState = 'locked';
        store.setMacKey(null);
      },
    },
    runs: {
      kill: (id) => stopped.push(id) > 0,
      killAll: () => 2,
      counts: () => ({ running: 0, queued: 0 }),
      waitsFor: () => null,
      live: () => null,
    },
    events: { emitChanged: () => {} },
    clock: systemClock,
    ask: async () => 'req_sample',
    random: randomBytes,
    refreshForSecret: (name) => refreshed.push(name),
    notice: (text) => notices.push(text),
    limitsChanged: () => {},
    statusFacts: () => Promise.reject(new Error('not part of this test')),
    prepareSandboxes: async () => [],
    wakeTest: async () => ({ ok: true, detail: '' }),
    telegram: () => {
      throw new Error('this house has no Telegram');
    },
    environmentServices: parseLocalServices(environmentServices),
  };
  const books = {
    settings: new SettingsBook(store, systemClock),
    localServices: new LocalServiceBook(deps),
    pause: new PauseSwitch({ ...deps, changed: () => {} }),
  };
  const owner = createOwner(deps, books);
  const audited = (): readonly string[] => store.audit({ limit: 100 }).map(({ kind }) => kind);
  return { store, owner, notices, refreshed, books, deps, audited, vaultState: () => vaultState };
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
  return 'no error';
}

describe('agents', () => {
  it('get a token once; only its hash is kept', () => {
    const { owner, store } = openHouse();
    const { token, name } = owner.addAgent('cli', 'laptop');
    expect(token).toMatch(/^oa3_[0-9A-Za-z]{43}$/);
    const tokenSha256 = createHash('sha256').update(token).digest('hex');
    expect(store.agentByTokenHash(tokenSha256)?.name).toBe(name);
    expect(JSON.stringify([store.agents(), store.audit({ limit: 50 })])).not.toContain(token);
    const rotated = owner.rotateAgent('cli', 'laptop');
    expect(rotated.token).not.toBe(token);
    expect(store.agentByTokenHash(tokenSha256)).toBeNull();
  });

  it('have one live holder of a name and no odd names', () => {
    const { owner } = openHouse();
    owner.addAgent('cli', 'laptop');
    expect(codeOf(() => owner.addAgent('cli', 'laptop'))).toBe('already_exists');
    for (const name of ['', 'a\u202eb', 'x'.repeat(65), '<b>', 'owner']) {
      expect(codeOf(() => owner.addAgent('cli', name))).toBe('invalid_request');
    }
    owner.revokeAgent('cli', 'laptop');
    expect(codeOf(() => owner.pauseAgent('cli', 'laptop', true))).toBe('not_found');
    expect(owner.addAgent('cli', 'laptop').name).toBe('laptop');
  });
});

describe('secrets', () => {
  it('get the hosts of a well-known key, unless the owner names others', () => {
    const { owner, refreshed } = openHouse();
    expect(owner.addSecret('cli', { name: 'OPENAI_API_KEY', value: fakeKey() }).hosts).toEqual(['api.openai.com']);
    expect(owner.addSecret('cli', { name: 'MY_KEY', value: fakeKey() }).hosts).toEqual([]);
    expect(owner.addSecret('cli', { name: 'OTHER', value: fakeKey(), hosts: ['API.Example.com:8443'] }).hosts).toEqual([
      'api.example.com:8443',
    ]);
    expect(refreshed).toEqual(['OPENAI_API_KEY', 'MY_KEY', 'OTHER']);
  });

  it('are not replaced by accident, and keep binding and delivery when only the value is replaced', () => {
    const { owner } = openHouse();
    owner.addSecret('cli', { name: 'KEY', value: fakeKey(), hosts: ['api.example.com'], raw: true });
    expect(codeOf(() => owner.addSecret('cli', { name: 'KEY', value: fakeKey() }))).toBe('already_exists');
    const replaced = owner.addSecret('cli', { name: 'KEY', value: fakeKey(), replace: true });
    expect(replaced).toMatchObject({ version: 2, hosts: ['api.example.com'], delivery: 'raw' });
  });

  it('F111 are refused when masking them would mangle output, and when their name steers a runtime', () => {
    const { owner } = openHouse();
    for (const value of [
      'short',
      'password',
      '12345678',
      'aaaaaaaaaa',
      'content-type',
      '2026-01-01',
      `${fakeKey()}\n`,
    ]) {
      expect(codeOf(() => owner.addSecret('cli', { name: 'KEY', value }))).toBe('invalid_request');
    }
    for (const name of ['PATH', 'NODE_OPTIONS', 'SKILL_ARGS', 'LD_PRELOAD', '1KEY']) {
      expect(codeOf(() => owner.addSecret('cli', { name, value: fakeKey() }))).toBe('invalid_request');
    }
    expect(owner.secrets()).toEqual([]);
  });

  it('cannot be bound to what no request could name, nor put into headers that frame a request', () => {
    const { owner } = openHouse();
    const value = fakeKey();
    for (const host of ['*.com', 'localhost', '10.0.0.1', 'https://x.test', 'a b.com']) {
      expect(codeOf(() => owner.addSecret('cli', { name: 'KEY', value, hosts: [host] }))).toBe('invalid_request');
    }
    for (const header of ['Host', 'Content-Length', 'transfer-encoding', 'x y', 'x:y', '']) {
      expect(codeOf(() => owner.addSecret('cli', { name: 'KEY', value, headers: [header] }))).toBe('invalid_request');
    }
    const added = owner.addSecret('cli', { name: 'KEY', value, hosts: ['a.example.com'], headers: ['X-Key', 'x-key'] });
    expect(added.headers).toEqual(['x-key']);
  });

  it('may stand in query, JSON and form fields only where a name leads to exactly one', () => {
    const { owner, store } = openHouse();
    const value = fakeKey();
    for (const json of ['', 'key', 'auth.key', '/a~2', '/a\n', '/\ud800']) {
      expect(codeOf(() => owner.addSecret('cli', { name: 'KEY', value, json: [json] }))).toBe('invalid_request');
    }
    for (const name of ['', 'a\0b', '\udc00']) {
      expect(codeOf(() => owner.addSecret('cli', { name: 'KEY', value, form: [name] }))).toBe('invalid_request');
      expect(codeOf(() => owner.addSecret('cli', { name: 'KEY', value, query: [name] }))).toBe('invalid_request');
    }
    const added = owner.addSecret('cli', { name: 'KEY', value, json: ['/b', '/a/0', '/b'], form: ['api key'] });
    expect(added).toMatchObject({ json: ['/a/0', '/b'], form: ['api key'], headers: [], query: [], path: false });
    const bound = owner.bindSecret('cli', { name: 'KEY', hosts: ['api.example.com'], form: [] });
    expect(bound).toMatchObject({ json: ['/a/0', '/b'], form: [] });
    expect(store.secretByName('KEY')?.binding.revision).toBe(2);
    owner.addSecret('cli', { name: 'KEY', value: fakeKey(), replace: true, json: ['/c'] });
    expect(store.secretByName('KEY')?.binding).toMatchObject({ revision: 3, places: { json: ['/c'] } });
  });

  it('are announced when they come from outside the window, and every change is audited without the value', () => {
    const { owner, notices, audited, store } = openHouse();
    const value = fakeKey();
    owner.addSecret('desktop', { name: 'KEY', value });
    expect(notices).toEqual([]);
    owner.bindSecret('cli', { name: 'KEY', hosts: ['api.example.com'] });
    owner.rotateSecret('cli', 'KEY', fakeKey(), true);
    owner.removeSecret('cli', 'KEY');
    expect(notices).toHaveLength(1);
    expect(audited()).toHaveLength(4);
    expect(JSON.stringify(store.audit({ limit: 50 }))).not.toContain(value);
  });
});

describe('settings', () => {
  it('are checked, audited, and taken back to nothing that does not fit', () => {
    const { owner, store, books, audited } = openHouse();
    owner.setSetting('cli', 'limits.pending_per_agent', 5);
    expect(owner.settings()['limits.pending_per_agent']).toBe(5);
    expect(codeOf(() => owner.setSetting('cli', 'limits.pending_per_agent', 0))).toBe('invalid_request');
    expect(codeOf(() => owner.setSetting('cli', 'limits.pending_per_agent', '7'))).toBe('invalid_request');
    expect(audited()).toHaveLength(1);
    store.setSetting('notify.run_once', 'nonsense', 'cli', Date.now());
    expect(new SettingsBook(store, systemClock).get('notify.run_once')).toBe('seen');
    expect(books.settings.get('limits.pending_per_agent')).toBe(5);
  });

  it('give way to the environment, which is never stored', () => {
    const { store } = openHouse();
    const book = new SettingsBook(store, systemClock, { 'runtime.default': 'deno' });
    expect(book.get('runtime.default')).toBe('deno');
    expect(store.setting('runtime.default') ?? null).toBeNull();
  });
});

describe('local services', () => {
  it('are kept over a restart; those of the environment win and are never stored', () => {
    const { owner, deps } = openHouse('env.internal=10.0.0.9:8080');
    owner.addLocalService('cli', 'nas.internal=192.168.1.5:9000');
    owner.addLocalService('cli', 'env.internal=10.0.0.1');
    const again = new LocalServiceBook(deps);
    expect(again.current().get('nas.internal')).toEqual({ address: '192.168.1.5', port: 9000 });
    expect(again.current().get('env.internal')).toEqual({ address: '10.0.0.9', port: 8080 });
    expect(owner.localServices()).toContainEqual({
      name: 'env.internal',
      address: '10.0.0.9',
      port: 8080,
      source: 'environment',
    });
    owner.removeLocalService('cli', 'nas.internal');
    expect(again.stored().has('nas.internal')).toBe(false);
    expect(codeOf(() => owner.removeLocalService('cli', 'nas.internal'))).toBe('not_found');
    expect(codeOf(() => owner.addLocalService('cli', 'nonsense'))).toBe('invalid_request');
  });

  it('allow a binding to a name that was declared', () => {
    const { owner } = openHouse();
    owner.addLocalService('cli', 'nas.internal=192.168.1.5');
    expect(owner.addSecret('cli', { name: 'KEY', value: fakeKey(), hosts: ['nas.internal'] }).hosts).toEqual([
      'nas.internal',
    ]);
  });
});

describe('stopping', () => {
  it('a pause survives a restart', () => {
    const { owner, deps } = openHouse();
    owner.pause('cli');
    expect(new PauseSwitch({ ...deps, changed: () => {} }).isPaused()).toBe(true);
    owner.resume('cli');
    expect(new PauseSwitch({ ...deps, changed: () => {} }).isPaused()).toBe(false);
  });

  it('panic stops runs, revokes trust, pauses agents and locks the vault', async () => {
    const { owner, vaultState, audited, notices } = openHouse();
    owner.addAgent('desktop', 'one');
    owner.addAgent('desktop', 'two');
    expect(await owner.panic('cli')).toEqual({ runs_stopped: 2, trust_revoked: 0, agents_paused: 2 });
    expect(vaultState()).toBe('locked');
    expect(owner.agents().map(({ status }) => status)).toEqual(['paused', 'paused']);
    expect(audited()).toContain('panic');
    expect(notices).toHaveLength(1);
  });
});

describe('the audit log', () => {
  it('comes out as JSON lines and as CSV that no spreadsheet takes for a formula', async () => {
    const { owner, store } = openHouse();
    store.appendAudit({ actor: '=1+1', kind: 'test', payload: { text: 'a "quoted", text' } }, Date.now());
    const lines = (await allText(owner.exportAudit('jsonl'))).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).kind)).toContain('test');
    const csv = await allText(owner.exportAudit('csv'));
    expect(csv.split('\r\n')[0]).toBe('seq,at,actor,kind,request_id,payload,hash,agent,skill_id');
    expect(csv).toContain(`"'=1+1"`);
    expect(csv).toContain('a \\""quoted\\"", text');
    expect(await owner.verifyAudit()).toMatchObject({ ok: true });
  });
});

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once as onceEvent } from 'node:events';
import {
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requestStates } from '../../contract/states.ts';
import { silentLog } from '../../main/core/log.ts';
import {
  DatabaseCorruptError,
  DatabaseTooNewError,
  DataFolderInUseError,
  DataFolderUnusableError,
} from '../../main/store/errors.ts';
import {
  deny,
  givenAgent,
  givenRequest,
  givenSecret,
  minute,
  nextId,
  once,
  requestOf,
  standing,
  start,
} from '../../main/store/fixtures.ts';
import { intValue, textValue } from '../../main/store/rowParser.ts';
import { Sqlite } from '../../main/store/sqlite.ts';
import { openStore, type Store } from '../../main/store/store.ts';
import { FakeKeyring } from '../../main/vault/fakes.ts';
import { keyringProtector } from '../../main/vault/keyringProtector.ts';
import { passphraseProtector } from '../../main/vault/passphraseProtector.ts';
import { Vault } from '../../main/vault/vault.ts';

let parent: string;
let dataDir: string;
let open: Store[] = [];
const macKey = Buffer.alloc(32, 7);

const openHere = (folder = dataDir): Store => {
  const store = openStore({ dataDir: folder, log: silentLog });
  store.setMacKey(macKey);
  open.push(store);
  return store;
};
const closeAll = () => {
  for (const store of open) {
    store.close();
  }
  open = [];
};
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'oauth3-storage-'));
  dataDir = join(parent, 'data');
});
afterEach(() => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
  }
  closeAll();
  rmSync(parent, { recursive: true, force: true });
});

/** Every byte of every file of the folder, as one. */
function allBytes(folder: string): Buffer {
  return Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
}

function inFile<Result>(look: (file: Sqlite) => Result): Result {
  const file = new Sqlite(join(dataDir, 'proxy.db'), { busyTimeoutMs: 1_000, synchronous: 'NORMAL' });
  try {
    return look(file);
  } finally {
    file.close();
  }
}

const children: ChildProcess[] = [];
/** A child that ends with its test, however that ends. */
function startChild(command: string, args: readonly string[]) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}
const childProgram = (name: string) => join(import.meta.dirname, 'storage', name);

describe('P253 a machine without a trustworthy keyring', () => {
  it.each(['basic_text', 'unknown'])(
    'gets no keyring slot from the backend %s; it is asked for a passphrase',
    async (backend) => {
      const pretend = {
        isEncryptionAvailable: () => true,
        encryptString: (text: string) => Buffer.from(`v10${text}`),
        decryptString: (bytes: Buffer) => bytes.subarray(3).toString(),
        getSelectedStorageBackend: () => backend,
      };
      const store = openHere();
      const protectors = [keyringProtector(pretend, 'linux')];
      const vault = new Vault({ slots: store, protectors, log: silentLog });
      expect(await vault.open()).toBe('uninitialized');
      expect(vault.lockReason()).toContain('passphrase');
      expect(store.slots()).toEqual([]);
    },
  );
});

describe('P254 a secret in the arguments or environment of a child', () => {
  it('cannot come from here: neither store nor vault starts a process', () => {
    for (const folder of ['store', 'vault']) {
      const sources = readdirSync(join(import.meta.dirname, '../../main', folder)).filter(
        (name) => !/\.test\.ts$/.test(name),
      );
      for (const name of sources.filter((entry) => entry.endsWith('.ts'))) {
        const text = readFileSync(join(import.meta.dirname, '../../main', folder, name), 'utf8');
        expect([name, /child_process|process\.env/.test(text)]).toEqual([name, false]);
      }
    }
  });
});

describe('P255 a copy of the data folder on another machine', () => {
  it('gives neither values nor trust without the key', async () => {
    const store = openHere();
    const value = `test-${randomBytes(16).toString('hex')}`;
    const vault = new Vault({ slots: store, protectors: [new FakeKeyring()], log: silentLog });
    await vault.open();
    store.setMacKey(vault.deriveKey('store'));
    givenSecret(store, 'API_KEY', vault.encrypt('sec', 'API_KEY', 1, value));
    const request = givenRequest(store);
    store.decide(standing(store, request, 'forever'));
    expect(store.liveTrust(request.trustKey, start + minute)).not.toBeNull();
    closeAll();
    const copy = join(parent, 'copy');
    cpSync(dataDir, copy, { recursive: true });

    const there = openHere(copy);
    const other = new Vault({ slots: there, protectors: [new FakeKeyring()], log: silentLog });
    expect(await other.open()).toBe('locked');
    const stored = there.encryptedSecret(there.secretByName('API_KEY')?.id ?? '');
    expect(() => other.decrypt(stored ?? { id: '', name: '', version: 0, bytes: new Uint8Array() })).toThrow(
      expect.objectContaining({ code: 'vault_locked' }),
    );
    there.setMacKey(null);
    expect(there.liveTrust(request.trustKey, start + minute)).toBeNull();
    there.setMacKey(randomBytes(32));
    expect(there.liveTrust(request.trustKey, start + minute)).toBeNull();
    expect(allBytes(copy).includes(value)).toBe(false);
  });
});

describe('P256 a secret that is deleted or replaced', () => {
  it('leaves no byte of its ciphertext in any file', () => {
    const store = openHere();
    const [first, second, other] = [1, 2, 3].map(() => randomBytes(3_000));
    if (!first || !second || !other) {
      throw new Error('no fixture');
    }
    const here = (bytes: Buffer) => allBytes(dataDir).includes(bytes.subarray(100, 164));
    const { id } = givenSecret(store, 'API_KEY', first);
    givenSecret(store, 'OTHER_KEY', other);
    expect(here(first)).toBe(true);
    store.replaceSecretValue(id, second, 'cli', start);
    expect([here(first), here(second)]).toEqual([false, true]);
    store.removeSecret(id, 'cli', start);
    expect([here(first), here(second), here(other)]).toEqual([false, false, true]);
    closeAll();
    expect([here(first), here(second), here(other)]).toEqual([false, false, true]);
  });
});

describe('P258 kill -9 at any moment of writing', () => {
  const kills = 40;

  it(`${kills} times leaves a whole file, and every request in exactly one state that is not behind what was said`, async () => {
    const order = ['pending', 'approved', 'running', 'success'];
    const said = new Map<string, string>();
    for (let round = 0; round < kills; round += 1) {
      const child = startChild(process.execPath, [childProgram('writer.ts'), dataDir]);
      const steps = randomInt(1, 20);
      let told = '';
      await new Promise<void>((resolve) => {
        child.stdout.on('data', (chunk: Buffer) => {
          told += chunk.toString();
          if (told.split('\n').length > steps) {
            resolve();
          }
        });
      });
      await wait(randomInt(0, 4));
      child.kill('SIGKILL');
      await onceEvent(child, 'close');
      for (const line of told.slice(0, told.lastIndexOf('\n')).split('\n').slice(1)) {
        const [id = '', state = ''] = line.split(' ');
        said.set(id, state);
      }
    }
    expect(said.size).toBeGreaterThan(kills);

    expect(inFile((file) => textValue(file.get('SELECT integrity_check AS value FROM pragma_integrity_check')))).toBe(
      'ok',
    );
    expect(inFile((file) => file.all('SELECT * FROM pragma_foreign_key_check'))).toEqual([]);
    const store = openHere();
    expect(store.verifyAudit()).toMatchObject({ ok: true });
    for (const [id, state] of said) {
      const now = store.request(id)?.status ?? 'lost';
      expect([
        id,
        state,
        now === state || order.indexOf(now) > order.indexOf(state) || (state === 'pending' && now === 'cancelled'),
      ]).toEqual([id, state, true]);
    }

    store.interruptUnfinished(start, () => 'interrupted');
    for (const request of store.requests({ limit: 1_000_000 })) {
      const kinds = store.audit({ limit: 99, requestId: request.id }).map(({ kind }) => kind);
      const count = (kind: string) => kinds.filter((found) => found === kind).length;
      const ran = request.startedAt !== null;
      expect(requestStates).toContain(request.status);
      expect(request.status === 'approved' || request.status === 'running').toBe(false);
      expect([count('request.approved') <= 1, count('run.started'), count('run.finished')]).toEqual([
        true,
        ran ? 1 : 0,
        request.status === 'success' ? 1 : 0,
      ]);
      expect(store.result(request.id) !== null).toBe(request.status === 'success');
      expect((request.approvalId !== null) === (request.decision !== null)).toBe(true);
      expect(store.manifest(request.manifestDigest)).not.toBeNull();
      expect(store.code(request.codeHash)).not.toBeNull();
    }
    const wrongCounts = inFile((file) =>
      intValue(
        file.get(`SELECT count(*) AS value FROM agents WHERE pending_requests <>
          (SELECT count(*) FROM requests WHERE agent_id = agents.id AND status = 'pending')`),
      ),
    );
    expect(wrongCounts).toBe(0);
  }, 180_000);
});

describe('P259 a full disk', () => {
  it('refuses every change with its code before anything runs, keeps what was there, and works again after it', async () => {
    const script = `ulimit -S -f 3000; exec "$0" "$1" "$2"`;
    const child = startChild('sh', ['-c', script, process.execPath, childProgram('filler.ts'), dataDir]);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async () => JSON.parse(String((await lines.next()).value)) as unknown;
    expect(await next()).toEqual({
      fill: ['storage_unavailable', 'storage_unavailable', 'storage_unavailable'],
      health: 'error',
      decide: 'storage_unavailable',
      startRun: 'storage_unavailable',
      states: ['pending', 'approved'],
      lock: 'worked',
    });
    expect(spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']).status).toBe(0);
    child.stdin.write('again\n');
    expect(await next()).toEqual({
      health: 'ok',
      decide: 'worked',
      startRun: 'worked',
      states: ['approved', 'running'],
      audit: true,
    });
    await onceEvent(child, 'close');
    expect(openHere().verifyAudit()).toMatchObject({ ok: true });
  });

  it('or a read-only one at start is told with what to do', () => {
    // Nobody may write there, root neither.
    const readOnly = '/proc/self/task';
    for (const folder of [readOnly, join(readOnly, 'data')]) {
      expect(() => openStore({ dataDir: folder, log: silentLog })).toThrow(DataFolderUnusableError);
      expect(() => openStore({ dataDir: folder, log: silentLog })).toThrow(/OAUTH3_DATA_DIR/);
    }
  });
});

describe('P260 two brokers on one folder', () => {
  it('in two processes: the second is refused, and takes over when the first was killed', async () => {
    const child = startChild(process.execPath, [childProgram('writer.ts'), dataDir]);
    child.stdout.on('data', () => {});
    await onceEvent(child.stdout, 'data');
    expect(() => openHere()).toThrow(DataFolderInUseError);
    expect(() => openHere()).toThrow(`process id ${child.pid}`);
    child.kill('SIGKILL');
    await onceEvent(child, 'close');
    expect(openHere().health()).toBe('ok');
  });
});

describe('P262 a file that is not what it should be', () => {
  const refusedUnchanged = (error: typeof DatabaseCorruptError | typeof DatabaseTooNewError) => {
    const path = join(dataDir, 'proxy.db');
    const before = readFileSync(path);
    expect(() => openHere()).toThrow(error);
    expect(() => openHere()).toThrow(/left as it is|nothing was changed/);
    expect(readFileSync(path).equals(before)).toBe(true);
  };
  beforeEach(() => {
    const store = openHere();
    givenSecret(store, 'API_KEY');
    for (let index = 0; index < 30; index += 1) {
      givenRequest(store, givenAgent(store));
    }
    closeAll();
  });

  it('is refused when it is no database', () => {
    writeFileSync(join(dataDir, 'proxy.db'), randomBytes(8_192));
    refusedUnchanged(DatabaseCorruptError);
  });

  it('is refused when its pages are damaged', () => {
    const file = openSync(join(dataDir, 'proxy.db'), 'r+');
    for (let page = 2; page < 40; page += 3) {
      writeSync(file, randomBytes(600), 0, 600, page * 4_096);
    }
    refusedUnchanged(DatabaseCorruptError);
  });

  it('is refused when one page of requests is damaged that opening alone would never read', () => {
    const page = inFile((file) => {
      file.pragma('wal_checkpoint(TRUNCATE)');
      return intValue(file.get("SELECT rootpage AS value FROM sqlite_schema WHERE name = 'requests'"));
    });
    const file = openSync(join(dataDir, 'proxy.db'), 'r+');
    writeSync(file, randomBytes(200), 0, 200, (page - 1) * 4_096);
    refusedUnchanged(DatabaseCorruptError);
  });

  it('is refused when it was cut off', () => {
    const path = join(dataDir, 'proxy.db');
    truncateSync(path, 5 * 4_096 + 17);
    refusedUnchanged(DatabaseCorruptError);
  });

  it('is refused when it was emptied beside a log that is not', () => {
    const path = join(dataDir, 'proxy.db');
    truncateSync(path, 0);
    writeFileSync(`${path}-wal`, randomBytes(4_096), { mode: 0o600 });
    expect(() => openHere()).toThrow(DatabaseCorruptError);
    expect(readFileSync(`${path}-wal`)).toHaveLength(4_096);
  });

  it('is refused when a newer app wrote it', () => {
    inFile((file) => file.exec('PRAGMA user_version = 99'));
    refusedUnchanged(DatabaseTooNewError);
  });

  it('opens with what was committed when only the end of its log was lost', async () => {
    const child = startChild(process.execPath, [childProgram('writer.ts'), dataDir]);
    child.stdout.on('data', () => {});
    await onceEvent(child.stdout, 'data');
    await wait(100);
    child.kill('SIGKILL');
    await onceEvent(child, 'close');
    const log = join(dataDir, 'proxy.db-wal');
    truncateSync(log, Math.floor(readFileSync(log).length / 2));
    const store = openHere();
    expect(store.secretByName('API_KEY')).not.toBeNull();
    expect(store.verifyAudit()).toMatchObject({ ok: true });
    expect(inFile((file) => textValue(file.get('SELECT integrity_check AS value FROM pragma_integrity_check')))).toBe(
      'ok',
    );
  });
});

describe('P264 names that read like SQL', () => {
  const names = [
    "'; DROP TABLE secrets; --",
    '" OR "1"="1',
    '%',
    '_',
    '*',
    '?1',
    '@status',
    "a'b",
    '\u0000x',
    '🔑',
    'x'.repeat(5_000),
  ];

  it.each(names)('%j is a name and nothing else', (name) => {
    const store = openHere();
    givenSecret(store, 'BYSTANDER');
    const secret = givenSecret(store, name);
    const agentId = givenAgent(store, name);
    const request = requestOf(agentId, { skillId: name, idempotencyKey: name });
    expect(store.insertRequest(request).kind).toBe('created');
    store.setSetting(name, name, 'cli', start);
    store.setState(name, name);
    store.saveCard({ subject: 'run', subjectId: name, channel: name, reference: { a: name } }, start);
    store.saveNonces([{ nonce: name, subject: 'run', subjectId: name, revision: name, action: name }], start);
    expect(store.secretByName(name)?.id).toBe(secret.id);
    expect(store.agentByName(name)?.id).toBe(agentId);
    expect(store.requestByIdempotencyKey(agentId, name)?.skillId).toBe(name);
    expect(store.lastApproved(agentId, name, 'none')).toBeNull();
    expect([store.setting(name), store.state(name), store.nonce(name)?.action]).toEqual([name, name, name]);
    expect(store.cards('run', name)).toHaveLength(1);
    expect(store.audit({ limit: 9, kind: name, requestId: name })).toEqual([]);
    store.removeSecret(secret.id, 'cli', start);
    expect(store.secrets().map((left) => left.name)).toEqual(['BYSTANDER']);
    expect(store.verifyAudit()).toMatchObject({ ok: true });
  });
});

describe('L185 to L188 one decision, one run', () => {
  it('L185 a second approval changes nothing, and one approval starts one run', () => {
    const store = openHere();
    const request = givenRequest(store);
    const kinds = [once(request), once(request), standing(store, request), deny(request)].map(
      (input) => store.decide(input).kind,
    );
    expect(kinds).toEqual(['decided', 'ended', 'ended', 'ended']);
    const runs = [1, 2, 3].map(() => store.startRun(request.id, { runId: nextId('run'), nowMs: start }));
    expect(runs).toEqual([true, false, false]);
  });

  it('L187 an approval after expiry, after its agent was revoked, or of a card that is no longer true is refused', () => {
    const store = openHere();
    const [late, orphan, changed] = [givenRequest(store), givenRequest(store), givenRequest(store)];
    expect(store.decide(once(late, { nowMs: late.expiresAt + 1 })).kind).toBe('ended');
    store.revokeAgent(orphan.agentId, 'desktop', start);
    expect(store.decide(once(orphan)).kind).toBe('ended');
    expect(store.decide(once(changed, { manifestDigest: 'of another card' })).kind).toBe('stale');
  });

  it('L188 an approval that was consumed before a crash is not there for another run', () => {
    const store = openHere();
    const request = givenRequest(store);
    store.decide(once(request));
    store.startRun(request.id, { runId: nextId('run'), nowMs: start });
    closeAll();
    const later = openHere();
    later.interruptUnfinished(start + minute, () => 'interrupted');
    expect(later.startRun(request.id, { runId: nextId('run'), nowMs: start + minute })).toBe(false);
    expect(later.decide(once(request)).kind).toBe('ended');
    expect(later.liveTrust(request.trustKey, start + minute)).toBeNull();
  });
});

describe('L208 trust that was written into the file by another program', () => {
  it('is no trust: the row has no seal that the vault made', () => {
    const store = openHere();
    const request = givenRequest(store);
    store.decide(once(request));
    inFile((file) =>
      file.run("UPDATE approvals SET trust_level = 'forever' WHERE id = ?", [
        store.request(request.id)?.approvalId ?? '',
      ]),
    );
    expect(store.liveTrust(request.trustKey, start + minute)).toBeNull();
    const again = requestOf(request.agentId, {
      trustKey: request.trustKey,
      trust: { entryId: store.request(request.id)?.approvalId ?? '', level: 'forever' },
    });
    expect(store.insertRequest(again)).toMatchObject({
      kind: 'created',
      request: { status: 'pending', trusted: false },
    });
  });
});

describe('a passphrase slot', () => {
  it('is all that a thief of the folder has to guess at, at 2^17 rounds a guess', async () => {
    const store = openHere();
    const vault = new Vault({ slots: store, protectors: [], log: silentLog });
    await vault.open('a test passphrase');
    const [slot] = store.slots();
    expect(slot?.protector).toBe('passphrase');
    await expect(passphraseProtector('a best passphrase').unwrap(slot?.wrapped ?? new Uint8Array())).rejects.toThrow(
      'wrong',
    );
    expect(allBytes(dataDir).includes('a test passphrase')).toBe(false);
  });
});

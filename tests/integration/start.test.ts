import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { agentAt } from '../support/broker.ts';
import { type Headless, oauth3, runProgram, startHeadless } from '../support/headless.ts';

let scratch: string;
let dataDir: string;
let env: Record<string, string>;
let running: Headless[] = [];

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'oauth3-start-'));
  dataDir = join(scratch, 'data');
  const passphraseFile = join(scratch, 'passphrase');
  writeFileSync(passphraseFile, `${randomBytes(12).toString('hex')}\n`, { mode: 0o600 });
  env = { OAUTH3_DATA_DIR: dataDir, OAUTH3_PASSPHRASE_FILE: passphraseFile };
});
afterEach(async () => {
  for (const broker of running) await broker.stop();
  running = [];
  rmSync(scratch, { recursive: true, force: true });
});

async function start(more: Readonly<Record<string, string>> = {}): Promise<Headless> {
  const broker = await startHeadless({ ...env, ...more });
  running.push(broker);
  return broker;
}

/** A start that must not succeed: its exit code and its one line. */
async function fails(more: Readonly<Record<string, string>>): Promise<Readonly<{ code: number | null; line: string }>> {
  const { code, stdout, stderr } = await runProgram('main/headless.ts', [], { PORT: '0', ...env, ...more });
  expect(stdout).toBe('');
  const lines = stderr.trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  return { code, line: lines[0] ?? '' };
}

describe('a start in plain Node', () => {
  it('prints one ready line, answers, and ends in order with exit 0', async () => {
    const broker = await start();
    expect(broker.readyLine).toBe(`oauth3 ready ${broker.url} pid=${broker.pid} data=${dataDir}`);
    const health = await fetch(`${broker.url}/health`);
    expect(await health.json()).toEqual({ status: 'ok', telegram: 'not_configured', database: 'ok' });
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    expect(await broker.stop()).toBe(0);
    expect(existsSync(join(dataDir, 'control.path'))).toBe(false);
    await expect(fetch(`${broker.url}/health`)).rejects.toThrow();
  });

  it('puts agents, secrets and settings back after a restart', async () => {
    const first = await start();
    await oauth3(
      env,
      ['secret', 'add', 'KEY', '--host', 'api.example.com'],
      `sk-fake-${randomBytes(16).toString('hex')}`,
    );
    await oauth3(env, ['settings', 'set', 'limits.pending_per_agent', '3']);
    const { token } = JSON.parse((await oauth3(env, ['agent', 'add', 'laptop', '--json'])).stdout);
    await oauth3(env, ['pause']);
    await first.stop();
    const second = await start();
    const agent = agentAt(second.url, 'laptop', token);
    expect(await agent.execute({ skill_id: 'x', code: '1' })).toMatchObject({
      status: 503,
      body: { error: { code: 'paused' } },
    });
    const secrets = JSON.parse((await oauth3(env, ['secret', 'list', '--json'])).stdout);
    expect(secrets.items).toMatchObject([{ name: 'KEY', hosts: ['api.example.com'], version: 1 }]);
    expect((await oauth3(env, ['settings', 'get', 'limits.pending_per_agent'])).stdout).toBe('3\n');
  });
});

describe('a start that cannot succeed says why in one line', () => {
  it('a bad value: exit 78, with the name of the variable', async () => {
    expect(await fails({ OAUTH3_BIND: '0.0.0.0' })).toMatchObject({
      code: 78,
      line: expect.stringContaining('OAUTH3_BIND'),
    });
    expect(await fails({ OAUTH3_PASSPHRASE_FILE: join(scratch, 'missing') })).toMatchObject({
      code: 78,
      line: expect.stringContaining('OAUTH3_PASSPHRASE_FILE'),
    });
    expect(existsSync(dataDir)).toBe(false);
  });

  it('a taken port: exit 1, and the folder is free again', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? String(address.port) : '';
    expect(await fails({ PORT: port })).toMatchObject({ code: 1, line: expect.stringContaining(port) });
    await new Promise((resolve) => taken.close(resolve));
    expect((await start()).url).not.toBe('');
  });

  it('K180 a second start with the same folder: exit 1, and the first goes on', async () => {
    const first = await start();
    expect(await fails({})).toMatchObject({ code: 1, line: expect.stringContaining(String(first.pid)) });
    expect((await fetch(`${first.url}/health`)).status).toBe(200);
    expect((await oauth3(env, ['status'])).code).toBe(0);
  });

  it('P262 a corrupt or newer database: exit 1, and the file stays as it is', async () => {
    mkdirSync(dataDir, { mode: 0o700 });
    const file = join(dataDir, 'proxy.db');
    writeFileSync(file, randomBytes(8192), { mode: 0o600 });
    const before = readFileSync(file);
    expect(await fails({})).toMatchObject({ code: 1, line: expect.stringContaining('damaged') });
    expect(readFileSync(file).equals(before)).toBe(true);
    rmSync(file);
    await (await start()).stop();
    const database = new Database(file);
    database.pragma('user_version = 9999');
    database.close();
    expect(await fails({})).toMatchObject({ code: 1, line: expect.stringContaining('newer') });
  });

  it('P257 a data folder that is a link: exit 1', async () => {
    const real = join(scratch, 'real');
    mkdirSync(real);
    symlinkSync(real, dataDir);
    expect(await fails({})).toMatchObject({ code: 1, line: expect.stringContaining('link') });
  });
});

describe('a vault that is not open', () => {
  it('takes no request until the owner sets a passphrase, and stays locked with a wrong one', async () => {
    const { OAUTH3_PASSPHRASE_FILE: _, ...noPassphrase } = env;
    const broker = await startHeadless(noPassphrase);
    running.push(broker);
    const { token } = JSON.parse((await oauth3(env, ['agent', 'add', 'a', '--json'])).stdout);
    const execute = () => agentAt(broker.url, 'a', token).execute({ skill_id: 'x', code: '1' });
    expect(await execute()).toMatchObject({ status: 503, body: { error: { code: 'vault_locked' } } });
    const refused = await oauth3(env, ['secret', 'add', 'KEY'], `sk-fake-${randomBytes(16).toString('hex')}`);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('vault') });
    const passphrase = randomBytes(12).toString('hex');
    expect((await oauth3(env, ['unlock'], `${passphrase}\n`)).code).toBe(0);
    expect(await execute()).toMatchObject({ status: 202 });
    await oauth3(env, ['lock']);
    expect(await oauth3(env, ['unlock'], 'a wrong passphrase')).toMatchObject({ code: 1 });
    expect(await execute()).toMatchObject({ status: 503 });
    await broker.stop();
    // The file of the environment holds another passphrase: the vault stays locked, and nothing is made anew.
    const second = await start();
    expect(await (await fetch(`${second.url}/health`)).json()).toMatchObject({ status: 'degraded' });
    expect((await oauth3(env, ['unlock'], passphrase)).code).toBe(0);
  });
});

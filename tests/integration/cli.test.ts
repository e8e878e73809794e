import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentAt, fakeKey } from '../support/broker.ts';
import { type Finished, type Headless, oauth3, startHeadless } from '../support/headless.ts';

let scratch: string;
let env: Record<string, string>;
let broker: Headless;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'oauth3-cli-'));
  const passphraseFile = join(scratch, 'passphrase');
  writeFileSync(passphraseFile, randomBytes(12).toString('hex'), { mode: 0o600 });
  env = { OAUTH3_DATA_DIR: join(scratch, 'data'), OAUTH3_PASSPHRASE_FILE: passphraseFile };
  broker = await startHeadless({ ...env, OAUTH3_EGRESS_HOSTS: 'env.internal=10.0.0.9' });
});
afterAll(async () => {
  await broker.stop();
  rmSync(scratch, { recursive: true, force: true });
});

const run = (line: string, input = ''): Promise<Finished> => oauth3(env, line.split(' '), input);

/** Runs with `--json`, expects exit 0, answers the value. */
async function value(line: string, input = '') {
  const { code, stdout, stderr } = await run(`${line} --json`, input);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

describe('the command line', () => {
  it('tells how the app is', async () => {
    expect(await value('status')).toMatchObject({
      vault: 'unlocked',
      url: broker.url,
      paused: false,
      default_runtime: 'quickjs',
      sandbox: { embedded: 'ready' },
    });
    const { stdout } = await run('status');
    expect(stdout).toMatch(/^vault +unlocked$/m);
    expect(statSync(join(scratch, 'data', 'control.sock')).mode & 0o777).toBe(0o600);
  });

  it('says why there is no container sandbox, lists none, and makes nothing', async () => {
    const missing = expect.stringContaining('The container engine does not answer');
    expect((await value('status')).sandbox.container).toEqual(missing);
    const text = await run('images deno');
    expect(text).toMatchObject({ code: 1, stderr: '', stdout: missing });
    expect(text.stdout).not.toContain('recipe');
    const { code, stdout } = await run('images --json');
    expect({ code, items: JSON.parse(stdout).items }).toMatchObject({
      code: 1,
      items: ['deno', 'node', 'python', 'quickjs'].map((runtime) => ({ runtime, state: 'unavailable' })),
    });
    expect((await run('images perl')).code).toBe(2);
    expect((await run('images --isolation embedded')).code).toBe(2);
  });

  it('adds, pauses, rotates and revokes agents', async () => {
    const added = await value('agent add laptop');
    expect(Object.keys(added).sort()).toEqual(['agent_id', 'name', 'token']);
    const request = (token: string) => agentAt(broker.url, 'laptop', token).call('GET', '/requests/req_x');
    expect((await request(added.token)).status).toBe(404);
    await value('agent pause laptop');
    expect((await value('agent list')).items).toMatchObject([{ name: 'laptop', status: 'paused' }]);
    await value('agent resume laptop');
    const rotated = await value('agent rotate laptop');
    expect((await request(added.token)).status).toBe(401);
    expect((await request(rotated.token)).status).toBe(404);
    expect((await run('agent add laptop')).code).toBe(1);
    await value('agent revoke laptop');
    expect((await request(rotated.token)).status).toBe(401);
    expect((await run('agent revoke laptop')).code).toBe(1);
  });

  it('takes the value of a secret from stdin without its newline, and never shows it', async () => {
    const key = fakeKey();
    const added = await value('secret add OPENAI_API_KEY', `${key}\n`);
    expect(added).toMatchObject({ name: 'OPENAI_API_KEY', hosts: ['api.openai.com'], version: 1 });
    expect(await run('secret add OPENAI_API_KEY', key)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--replace'),
    });
    expect(await value('secret add OPENAI_API_KEY --replace', fakeKey())).toMatchObject({ version: 2 });
    expect(
      await value('secret bind OPENAI_API_KEY --host a.example.com --host b.example.com --header X-Key'),
    ).toMatchObject({
      hosts: ['a.example.com', 'b.example.com'],
      headers: ['x-key'],
    });
    const fields = '--json-field /auth/key --json-field /a~1b --form-field key';
    const bound = await value(`secret bind OPENAI_API_KEY --host a.example.com ${fields}`);
    expect(bound).toMatchObject({ headers: ['x-key'], json: ['/auth/key', '/a~1b'], form: ['key'] });
    expect(await run('secret bind OPENAI_API_KEY --host a.example.com --json-field auth.key')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('/auth/key'),
    });
    expect(await value('secret rotate OPENAI_API_KEY', fakeKey())).toMatchObject({ version: 3 });
    expect(await run('secret add EMPTY')).toMatchObject({ code: 2 });
    expect(await run('secret bind OPENAI_API_KEY')).toMatchObject({ code: 2 });
    expect(await run('secret add PATH', fakeKey())).toMatchObject({ code: 1 });
    expect(await run('secret add WEAK', 'content-type')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('made of common words'),
    });
    const everything = [await run('secret list'), await run('audit list --limit 1000'), await run('audit export')];
    expect(JSON.stringify(everything)).not.toContain(key);
    await value('secret rm OPENAI_API_KEY');
    expect((await value('secret list')).items).toEqual([]);
  });

  it('declares local services', async () => {
    await value('host add nas.internal=192.168.1.5:9000');
    expect((await value('host list')).items).toContainEqual({
      name: 'nas.internal',
      address: '192.168.1.5',
      port: 9000,
      source: 'owner',
    });
    expect(await run('host rm env.internal')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('OAUTH3_EGRESS_HOSTS'),
    });
    await value('host rm nas.internal');
  });

  it('reads and sets settings, within their range', async () => {
    expect(await value('settings set limits.concurrent_runs 2')).toEqual({ key: 'limits.concurrent_runs', value: 2 });
    expect(await value('settings get limits.concurrent_runs')).toEqual({ key: 'limits.concurrent_runs', value: 2 });
    await value('settings set notify.run_once never');
    expect((await value('settings list')).items).toContainEqual({ key: 'notify.run_once', value: 'never' });
    expect((await run('settings set limits.concurrent_runs 0')).code).toBe(1);
    expect((await run('settings get no.such')).code).toBe(1);
  });

  it('shows requests and their code, with what a terminal would obey spelled out', async () => {
    const { token } = await value('agent add asker');
    const code = 'console.log("\u001b[2J hidden \u202e text")';
    const { body } = await agentAt(broker.url, 'asker', token).execute({ skill_id: 'odd', code });
    const id = String(body.request_id);
    expect((await value('requests list --status pending')).items).toMatchObject([{ request_id: id, agent: 'asker' }]);
    expect(await value(`requests show ${id}`)).toMatchObject({ request_id: id, code });
    const { stdout } = await run(`requests show ${id}`);
    expect(stdout).toContain('\\u{1b}[2J hidden \\u{202e} text');
    expect(stdout).not.toContain('\u001b');
    expect((await run('requests show req_missing')).code).toBe(1);
    expect((await run('requests list --status nonsense')).code).toBe(2);
    expect((await value('trust list')).items).toEqual([]);
    expect(await value('trust revoke --all')).toEqual({ revoked: 0 });
  });

  it('lists, verifies and exports the audit log', async () => {
    const { items } = await value('audit list --limit 3');
    expect(items).toHaveLength(3);
    expect(items[0].seq).toBeGreaterThan(items[2].seq);
    expect(await value('audit verify')).toMatchObject({ ok: true });
    const { stdout } = await run('audit export --format jsonl');
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).seq)).toEqual(lines.map((_, index) => index + 1));
    expect((await run('audit export --format csv')).stdout.split('\r\n')[0]).toContain('seq,at,actor');
    expect((await run('audit export --format xml')).code).toBe(2);
  });

  it('says 1 where nothing is configured to be woken', async () => {
    expect(await run('wake test --json')).toMatchObject({ code: 1, stdout: expect.stringContaining('"ok": false') });
  });

  it('pauses, and panics only when it is sure', async () => {
    await value('pause');
    expect(await value('status')).toMatchObject({ paused: true });
    await value('resume');
    expect(await run('panic', 'no\n')).toMatchObject({ code: 1, stderr: expect.stringContaining('Nothing was done') });
    expect(await value('status')).toMatchObject({ vault: 'unlocked' });
    expect(await value('panic', 'yes\n')).toMatchObject({ runs_stopped: 0, agents_paused: 1 });
    expect(await value('status')).toMatchObject({ vault: 'locked' });
  });

  it('L207 has no command that approves, and refuses what it does not know with 2', async () => {
    const { stdout } = await run('--help');
    expect(stdout).not.toMatch(/^ +(approve|decide|allow|skill|llm)\b/m);
    for (const line of ['approve req_x', 'requests approve req_x', 'agent', '', 'status extra']) {
      expect({ line, code: (await run(line)).code }).toEqual({ line, code: 2 });
    }
  });

  it('exits 3 when the app is not running', async () => {
    const elsewhere = { OAUTH3_DATA_DIR: join(scratch, 'nothing') };
    expect(await oauth3(elsewhere, ['status', '--json'])).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('not_running'),
    });
  });
});

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { explainStartFailure } from '../../main/startup.ts';
import { agentAt, fakeKey, startTestBroker } from '../support/broker.ts';
import { oauth3, runProgram, startHeadless } from '../support/headless.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'oauth3-bad-start-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const file = (name: string, content: string | Uint8Array): string => {
  const path = join(scratch, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
};

describe('a bad value in the environment', () => {
  /** How the start ends; the value never gets further than being read. */
  const outcome = async (variable: string, value: string) => {
    const started = await startTestBroker({ env: { [variable]: value } }).catch((error: unknown) => error);
    if (started instanceof Error) return explainStartFailure(started);
    throw new Error(`${variable}=${value} was accepted`);
  };

  it.each([
    ['PORT', '70000', 'must be a port number from 0 to 65535'],
    ['OAUTH3_BIND', '0.0.0.0', '"0.0.0.0" would listen on every interface; write the address of the one you mean'],
    ['OAUTH3_BIND', 'localhost', '"localhost" is not an IP address; write 127.0.0.1 for this machine only'],
    ['OAUTH3_ALLOWED_HOSTS', 'http://a.example', 'only letters, digits, dots and hyphens may stand in a host name'],
    ['TELEGRAM_BOT_TOKEN', 'wrong', 'must look like 123456:ABC..., as BotFather gave it'],
    ['TELEGRAM_CHAT_ID', '@me', 'must be a list of numeric ids, negative for groups'],
    ['TELEGRAM_API_ROOT', 'api.telegram.org', 'must be a full http or https URL'],
    ['OPENCLAW_HOOK_URL', 'localhost:18789', 'must be a full http or https URL'],
    ['OPENCLAW_HOOK_TOKEN', 'x', 'is set without OPENCLAW_HOOK_URL'],
    ['OAUTH3_SANDBOX', 'none', 'must be embedded or docker'],
    ['OAUTH3_LLM_BASE_URLS', 'ollama', 'must be a list of provider=url'],
    ['LOG_LEVEL', 'loud', 'must be debug, info, warn or error'],
    [
      'OAUTH3_EGRESS_HOSTS',
      'nas',
      'Invalid local service "nas": the name or the "=" is missing. Write name=address or name=address:port',
    ],
    ['OAUTH3_EGRESS_CA_FILE', '/nowhere/roots.pem', 'the file /nowhere/roots.pem cannot be read (ENOENT)'],
    ['OAUTH3_PASSPHRASE_FILE', '/nowhere/passphrase', 'the file /nowhere/passphrase cannot be read (ENOENT)'],
  ])('%s=%s ends the start with exit 78 and one line that says what to write', async (variable, value, reason) => {
    expect(await outcome(variable, value)).toEqual({
      line: `oauth3 cannot start: ${variable}: ${reason}`,
      exitCode: 78,
    });
  });

  it.each<[string, string | Uint8Array, RegExp]>([
    ['empty', '\n', /is empty/],
    ['not text', new Uint8Array([0xff, 0xfe, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36]), /is not valid UTF-8 text/],
    ['a folder', '', /cannot be read \(EISDIR\)/],
  ])('a passphrase file that is %s is a bad value too', async (what, content, reason) => {
    const path = what === 'a folder' ? scratch : file('passphrase', content);
    const { line, exitCode } = await outcome('OAUTH3_PASSPHRASE_FILE', path);
    expect(line).toMatch(/^oauth3 cannot start: OAUTH3_PASSPHRASE_FILE: /);
    expect(line).toMatch(reason);
    expect(exitCode).toBe(78);
  });

  it('is told by the program itself, on stderr and before anything is made', async () => {
    const dataDir = join(scratch, 'data');
    const { code, stdout, stderr } = await runProgram('main/headless.ts', [], {
      OAUTH3_DATA_DIR: dataDir,
      LOG_LEVEL: 'loud',
    });
    expect({ code, stdout, stderr }).toEqual({
      code: 78,
      stdout: '',
      stderr: 'oauth3 cannot start: LOG_LEVEL: must be debug, info, warn or error\n',
    });
    expect(() => statfsSync(dataDir)).toThrow();
  });
});

// A small file system of its own can only be made as root, which is how CI runs this.
if (process.getuid?.() === 0) {
  describe('P259 a full disk', () => {
    const disk = (): string => join(scratch, 'disk');
    let env: Record<string, string>;

    beforeEach(() => {
      mkdirSync(disk());
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', disk()]);
      chmodSync(disk(), 0o700);
      env = {
        OAUTH3_DATA_DIR: join(disk(), 'data'),
        OAUTH3_PASSPHRASE_FILE: file('passphrase', randomBytes(12).toString('hex')),
      };
    });
    afterEach(() => execFileSync('umount', ['--lazy', disk()]));

    const fill = (): void => {
      const { bavail, bsize } = statfsSync(disk());
      writeFileSync(join(disk(), 'filler'), Buffer.alloc(bavail * bsize, 1));
    };
    const makeRoom = (): void => rmSync(join(disk(), 'filler'));

    it('takes no request and no secret, says so, keeps what there is, and goes on when there is room', async () => {
      const broker = await startHeadless(env);
      try {
        const token = JSON.parse((await oauth3(env, ['agent', 'add', 'laptop', '--json'])).stdout).token;
        const agent = agentAt(broker.url, 'laptop', token);
        const ask = (name: string) => agent.execute({ skill_id: name, code: `console.log('${'x'.repeat(60_000)}')` });
        const before = await ask('before');
        expect(before.status).toBe(202);

        fill();
        // What is left of the last page takes a little longer to fill.
        let full = await ask('full-0');
        for (let more = 1; full.status === 202 && more < 20; more += 1) full = await ask(`full-${more}`);
        expect(full).toMatchObject({
          status: 503,
          body: { status: 'error', error: { code: 'storage_unavailable', message: expect.any(String) } },
        });
        expect(JSON.stringify(full.body)).toMatch(/disk|space/);
        const secret = await oauth3(env, ['secret', 'add', 'KEY'], fakeKey());
        expect(secret).toMatchObject({ code: 1, stdout: '' });
        expect(secret.stderr).toMatch(/disk|space/);
        expect((await agent.call('GET', '/health')).body).toMatchObject({ status: 'degraded', database: 'error' });
        expect((await agent.call('GET', `/requests/${before.body.request_id}`)).body.status).toBe('pending');

        makeRoom();
        expect(await ask('after')).toMatchObject({ status: 202 });
        expect((await agent.call('GET', '/health')).body).toMatchObject({ database: 'ok' });
        expect((await oauth3(env, ['secret', 'add', 'KEY'], fakeKey())).code).toBe(0);
        expect((await oauth3(env, ['audit', 'verify'])).code).toBe(0);
      } finally {
        expect(await broker.stop()).toBe(0);
      }
    });

    it('lets no new broker start, in one line that says what to do', async () => {
      fill();
      const { code, stdout, stderr } = await runProgram('main/headless.ts', [], { PORT: '0', ...env });
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^oauth3 cannot start: .* cannot be used \(.*\)\. Check .* free space .*\n$/);
      makeRoom();
      expect(await (await startHeadless(env)).stop()).toBe(0);
    });
  });
}

import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { jobOf } from '../../tests/support/runnerHost.ts';
import { runnerRoom } from '../../tests/support/runnerRoom.ts';

const room = runnerRoom();
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const run = async (job: ReturnType<typeof jobOf>) => {
  const { host } = room.pair();
  return host.run(job);
};

describe('a job', () => {
  it('gets its arguments, its folder, exactly its environment and its stdin to the end', async () => {
    const code = `console.log(JSON.stringify([process.argv.slice(2), process.cwd(), process.env, (await buffer(process.stdin)).length]))`;
    const program = room.program(code, { env: { WHO: 'me', EMPTY: '' }, stdin: base64('x'.repeat(300_000)) });
    const { stdout, exit } = await run({ ...program, command: [...program.command, 'a b', ''] });
    expect(JSON.parse(stdout)).toEqual([['a b', ''], '/tmp/job', { WHO: 'me', EMPTY: '' }, 300_000]);
    expect(exit).toEqual({ code: 0, signal: null, timedOut: false, outOfMemory: false });
  });

  it('finds its files, which only it can read', async () => {
    const job = jobOf(['/bin/sh', '-c', 'stat -c "%a %n" /tmp/job /tmp/job/a /tmp/job/a/b.txt; cat /tmp/job/a/b.txt'], {
      files: { '/tmp/job/a/b.txt': base64('grüezi') },
    });
    expect((await run(job)).stdout).toBe('700 /tmp/job\n700 /tmp/job/a\n600 /tmp/job/a/b.txt\ngrüezi');
  });

  it("finds the run's authority alone and together with the public ones", async () => {
    const job = jobOf(['/bin/sh', '-c', 'cat /tmp/oauth3-ca.pem; echo --; cat /tmp/oauth3-roots.pem'], {
      authorityPem: 'AUTHORITY\n',
    });
    const publicRoots = await readFile('/etc/ssl/certs/ca-certificates.crt', 'utf8').catch(() => '');
    expect((await run(job)).stdout).toBe(`AUTHORITY\n--\nAUTHORITY\n${publicRoots}`);
  });

  it('tells exit codes and signals as they are', async () => {
    expect((await run(jobOf(['/bin/sh', '-c', 'echo oops >&2; exit 7']))).exit.code).toBe(7);
    expect((await run(jobOf(['/bin/sh', '-c', 'kill -ABRT $$']))).exit).toMatchObject({
      code: null,
      signal: 'SIGABRT',
    });
  });

  it('keeps stdout and stderr apart and loses nothing of a lot', async () => {
    const { stdout, stderr } = await run(
      room.program(`process.stdout.write('o'.repeat(9_000_000)); process.stderr.write('e'.repeat(5_000_000));`),
    );
    expect([stdout.length, stderr.length]).toEqual([9_000_000, 5_000_000]);
    expect([/^o+$/.test(stdout), /^e+$/.test(stderr)]).toEqual([true, true]);
  });

  it('may leave its stdin unread', async () => {
    const { exit } = await run(jobOf(['/bin/true'], { stdin: base64('x'.repeat(5_000_000)) }));
    expect(exit.code).toBe(0);
  });

  it.each([
    ['is not there', jobOf(['/nowhere/at/all']), 'ENOENT'],
    ['has no name', jobOf([]), 'argument'],
    ['has a name with a NUL', jobOf(['/bin/true\0']), 'null bytes'],
    ['has files that cannot be written', jobOf(['/bin/true'], { files: { '/proc/x': '' } }), '/proc/x'],
    ['would overwrite a file', jobOf(['/bin/true'], { files: { '/tmp/oauth3-ca.pem': '' } }), 'EEXIST'],
  ])('that %s is told as failed', async (_, job, words) => {
    expect((await run(job)).exit).toMatchObject({ code: null, signal: null, failed: expect.stringContaining(words) });
  });

  it('takes a job of some megabytes', async () => {
    const job = jobOf(['/bin/sh', '-c', 'wc -c < /tmp/job/big'], {
      files: { '/tmp/job/big': base64('x'.repeat(6e6)) },
    });
    expect((await run(job)).stdout.trim()).toBe('6000000');
  });

  it('is killed at its deadline', async () => {
    const { exit, stdout } = await run(jobOf(['/bin/sh', '-c', 'echo started; sleep 60'], { timeoutMs: 300 }));
    expect(exit).toEqual({ code: null, signal: 'SIGKILL', timedOut: true, outOfMemory: false });
    expect(stdout).toBe('started\n');
  });
});

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { runnerNodeFlags, runnerProtocol } from '../../contract/runnerProtocol.ts';
import { runnerRoom } from '../../tests/support/runnerRoom.ts';

const room = runnerRoom();
const { hostGreeting, runnerGreeting } = runnerProtocol;

describe('the runner', () => {
  it('refuses to start anywhere but as PID 1, where it would kill what is not its own', async () => {
    const { node, runner } = room.files();
    const outcome = promisify(execFile)(node, [...runnerNodeFlags, runner]);
    await expect(outcome).rejects.toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('PID 1') });
  });

  it('refuses to start with an inspector that a signal opens', async () => {
    const runner = room.start({ flags: runnerNodeFlags.filter((flag) => flag !== '--disable-sigusr1') });
    expect(await runner.exited).toBe(1);
    expect(runner.log()).toContain('flags');
  });

  it('says its greeting first, and nothing else before the host greets', async () => {
    const { child, exited } = room.start();
    const [first] = await once(child.stdout, 'data');
    expect(String(first)).toBe(runnerGreeting);
    let more = '';
    child.stdout.on('data', (chunk) => {
      more += chunk;
    });
    child.stdin.write(hostGreeting.slice(0, -1));
    child.stdin.end();
    expect(await exited).toBe(0);
    expect(more).toBe('');
  });

  it('takes a greeting that comes in pieces', async () => {
    const { child } = room.start();
    const text: Buffer[] = [];
    const answered = new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        text.push(chunk);
        if (Buffer.concat(text).includes('PRI * HTTP/2.0')) resolve();
      });
    });
    for (const letter of hostGreeting) {
      child.stdin.write(letter);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await answered;
  });

  it.each(['GET / HTTP/1.1\r\n', 'oauth3-host 2\n', '\0'])('ends when the host greets with %j', async (greeting) => {
    const { child, exited, log } = room.start();
    child.stdin.write(greeting);
    expect(await exited).toBe(1);
    expect(log()).toContain('wrong greeting');
  });

  it('ends when the host speaks no HTTP/2 after its greeting', async () => {
    const { child, exited, log } = room.start();
    child.stdin.write(`${hostGreeting}${'nonsense '.repeat(20)}`);
    expect(await exited).toBe(1);
    expect(log()).toContain('tunnel');
  });

  it('ends when the host closes the tunnel', async () => {
    const { host, exited } = room.pair();
    await host.ready();
    (await host.session).close();
    expect(await exited).toBe(0);
  });

  it('ends when the host gives no job', async () => {
    const { host, exited, log } = room.pair();
    await host.refuseJob();
    expect(await exited).toBe(1);
    expect(log()).toContain('no job');
  });

  it('keeps what anything else in it prints off stdout', async () => {
    const noise = 'data:text/javascript,setTimeout(()=>setInterval(()=>console.log("noise"),1),100)';
    const { host, child, exited, log } = room.pair({ flags: [...runnerNodeFlags, '--import', noise] });
    await host.ready();
    const { stdout, exit } = await host.run(room.program(`setTimeout(() => console.log('done'), 400)`));
    expect([stdout, exit.code]).toEqual(['done\n', 0]);
    child.stdin.end();
    await exited;
    expect(log()).toContain('noise');
  });
});

import { constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ServerHttp2Stream } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { isRoot } from '../../scripts/setup/checkout.ts';
import { jobOf } from '../support/runnerHost.ts';
import { runnerRoom } from '../support/runnerRoom.ts';

/**
 * The runner as PID 1, without an engine around it (the container's own walls are tested with the backend): what a job
 * can do to the process that carries its bytes, and what ends it.
 */
const room = runnerRoom();

const echo = (stream: ServerHttp2Stream): void => {
  stream.respond({ ':status': 200 });
  stream.pipe(stream);
};

const lookMs = 25;

const elapsed = async (work: Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work;
  return performance.now() - start;
};

/** Says `up` once its daemon stands: in a session of its own, deaf to SIGTERM, with the job's stdout in its hands. */
const daemon = `
  const child = spawn(process.execPath, ['-e',
    'process.on("SIGTERM", () => undefined); process.on("SIGHUP", () => undefined); setInterval(() => undefined, 1000); process.send(0)'],
    { detached: true, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  await once(child, 'message');
  child.disconnect();
  child.unref();
  console.log('up');
`;

const flood = `for (;;) if (!process.stdout.write('x'.repeat(65536))) await once(process.stdout, 'drain');`;

/** Doubles until there is no room, for ever. */
const forkBomb = 'ulimit -u 120; echo up; bomb() { bomb 2>/dev/null | bomb 2>/dev/null & }; while :; do bomb; done';

describe('I: using everything up', () => {
  it('I151 a fork bomb is gone at the deadline', async () => {
    const { host } = room.pair();
    await host.ready();
    const run = host.run(jobOf(['/bin/bash', '-c', forkBomb], { timeoutMs: 1000 }));
    expect(await elapsed(run)).toBeLessThan(6000);
    expect((await run).exit.timedOut).toBe(true);
  });

  it('I156 a host that stops reading stalls the job, and the deadline fires all the same', async () => {
    const { host, child } = room.pair();
    await host.ready();
    const opened = new Promise<ServerHttp2Stream>((resolve) => {
      host.onOutput = (stream, path) => {
        if (path === '/stdout') resolve(stream);
      };
    });
    const run = host.run(room.program(flood, { timeoutMs: 800 }));
    const stdout = await opened;
    // Nothing is read before the deadline has ended the job.
    await untilChildless(await pidOne(child.pid));
    const printed = (await buffer(stdout)).length;
    expect((await run).exit).toMatchObject({ timedOut: true, signal: 'SIGKILL' });
    expect(printed).toBeGreaterThan(1 << 20);
    expect(printed).toBeLessThan(4 << 20);
  });

  it('I158 ten thousand connections from several processes, cut and left open, do not end it', async () => {
    const { host, log } = room.pair();
    host.onEgress = echo;
    const client = `
      const net = require('node:net');
      let left = 2500;
      const next = () => {
        if (left-- <= 0) return;
        const socket = net.connect({ host: '127.0.0.1', port: 3128 });
        socket.on('error', () => undefined).once('close', next);
        const kind = left % 4;
        socket.once('connect', () => {
          if (kind === 0) socket.resetAndDestroy();
          else if (kind === 1) socket.end();
          else if (kind === 2) { socket.write(Buffer.alloc(3000, left)); setTimeout(() => socket.resetAndDestroy(), 5); }
          else socket.write('CONNECT ', () => socket.destroy());
        });
      };
      for (let i = 0; i < 200; i += 1) next();`;
    const code = `
      const clients = Array.from({ length: 4 }, () => spawn(process.execPath, ['-e', ${JSON.stringify(client)}], { stdio: 'inherit' }));
      await Promise.all(clients.map((child) => once(child, 'exit')));
      const socket = connect();
      socket.end('still there');
      process.stdout.write(await buffer(socket));`;
    const { stdout, exit } = await host.run(room.program(code));
    expect([stdout, exit.code, log()]).toEqual(['still there', 0, '']);
  });

  it('I158 a runner without a file left for one more connection serves again when there is one', async () => {
    const { host, log } = room.pair({ openFiles: 100 });
    host.onEgress = echo;
    const code = `
      const holders = Array.from({ length: 4 }, () => spawn(process.execPath, ['-e', \`
        const net = require('node:net');
        let left = 60;
        for (let i = 0; i < 60; i += 1) {
          const socket = net.connect({ host: '127.0.0.1', port: 3128 });
          // A busy machine may have some cut before they are told that they were made.
          let isCounted = false;
          const count = () => { if (!isCounted) left -= 1; isCounted = true; if (left === 0) process.send('full'); };
          socket.on('error', () => undefined).once('connect', count).once('close', count);
        }
        setInterval(() => undefined, 60000);\`], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
      await Promise.all(holders.map((holder) => once(holder, 'message')));
      for (const holder of holders) holder.kill('SIGKILL');
      await Promise.all(holders.map((holder) => once(holder, 'exit')));
      for (;;) {
        const socket = connect();
        socket.on('error', () => undefined).end('still there');
        const answer = String(await buffer(socket).catch(() => ''));
        if (answer !== 'still there') continue;
        console.log(answer);
        break;
      }`;
    const { stdout, exit } = await host.run(room.program(code));
    expect([stdout, exit.code, log()]).toEqual(['still there\n', 0, '']);
  });

  it('I160 a daemon that ignores SIGTERM and holds stdout is gone at the deadline', async () => {
    const { host } = room.pair();
    await host.ready();
    const run = host.run(room.program(`${daemon} setInterval(() => undefined, 1000);`, { timeoutMs: 1500 }));
    expect(await elapsed(run)).toBeLessThan(4000);
    expect(await run).toMatchObject({ exit: { timedOut: true, signal: 'SIGKILL' }, stdout: 'up\n' });
  });

  it('I160 a daemon is gone when the program that left it ends', async () => {
    const { host } = room.pair();
    await host.ready();
    const run = host.run(room.program(`${daemon} process.exit(3);`, { timeoutMs: 20_000 }));
    expect(await elapsed(run)).toBeLessThan(5000);
    expect(await run).toMatchObject({ exit: { code: 3, timedOut: false }, stdout: 'up\n' });
  });
});

describe('J: the runner and its tunnel', () => {
  it('J166 nobody can have the port of the proxy before the runner, or beside it', async () => {
    const { host } = room.pair();
    const code = `
      for (const exclusive of [true, false]) {
        const server = net.createServer().listen({ host: '127.0.0.1', port: 3128, exclusive, reusePort: !exclusive });
        console.log(await once(server, 'listening').then(() => 'taken', (error) => error.code));
      }`;
    expect((await host.run(room.program(code))).stdout).toBe('EADDRINUSE\nEADDRINUSE\n');
  });

  it('J168 the proxy is all that it listens on: no other port, no socket with a name', async () => {
    const { host } = room.pair();
    const code = `
      const rows = (file) => readFileSync('/proc/net/' + file, 'utf8').trim().split('\\n').slice(1).map((row) => row.trim().split(/\\s+/));
      const listening = [...rows('tcp'), ...rows('tcp6')].filter((row) => row[3] === '0A').map((row) => row[1]);
      console.log(JSON.stringify([listening, rows('udp'), rows('udp6'), rows('unix').filter((row) => row.length > 7)]));`;
    // 127.0.0.1:3128 as the kernel writes it.
    expect(JSON.parse((await host.run(room.program(code))).stdout)).toEqual([['0100007F:0C38'], [], [], []]);
  });

  // Only root can make a program that the runner's own user may not read, as images have it.
  it.runIf(isRoot)('J169 the job of the same user cannot look into the runner or write into its tunnel', async () => {
    const { host } = room.pair();
    const code = `
      import { openSync, readdirSync } from 'node:fs';
      const attempts = {
        environ: () => readFileSync('/proc/1/environ'),
        fd: () => readdirSync('/proc/1/fd'),
        stdout: () => openSync('/proc/1/fd/1', 'w'),
        mem: () => openSync('/proc/1/mem', 'r+'),
        maps: () => readFileSync('/proc/1/maps', 'utf8'),
        root: () => readdirSync('/proc/1/root'),
        cwd: () => readdirSync('/proc/1/cwd'),
      };
      for (const [name, attempt] of Object.entries(attempts)) {
        try { attempt(); console.log(name, 'open'); } catch (error) { if (error.code !== 'EACCES') console.log(name, error.code); }
      }
      console.log('tried');`;
    expect((await host.run(room.program(code))).stdout).toBe('tried\n');
  });

  it('J169 signals of the job open no inspector, do not end the runner and do not make its stdout block', async () => {
    const { host, child, exited, stall } = room.pair();
    host.onEgress = echo;
    const code = `
      const signals = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGUSR1', 'SIGSEGV',
        'SIGUSR2', 'SIGPIPE', 'SIGALRM', 'SIGTERM', 'SIGCHLD', 'SIGCONT', 'SIGTSTP', 'SIGPROF', 'SIGWINCH', 'SIGSYS', 'SIGSTOP', 'SIGKILL'];
      for (const signal of signals) process.kill(1, signal);
      const socket = connect();
      socket.end('alive');
      process.stdout.write(await buffer(socket));
      console.log(await once(net.connect(9229, '127.0.0.1'), 'connect').then(() => ' open', (error) => ' ' + error.code));
      const again = connect();
      again.write('stall');
      again.resume();
      await once(again, 'data');
      ${flood}`;
    const { promise: seen, settle } = untilText('alive ECONNREFUSED');
    host.onOutput = (stream, path) => {
      if (path === '/stdout') stream.on('data', settle);
    };
    void host.run(room.program(code)).catch(() => undefined);
    await seen;
    expect(await blocksOnStdout(await pidOne(child.pid))).toBe(false);
    // Stuck in a write it would not see its stdin end.
    stall();
    await untilIdle(await pidOne(child.pid));
    child.stdin.end();
    expect(await elapsed(exited)).toBeLessThan(1000);
  });

  it('J174 a host that reads nothing at all stalls the job; nothing piles up in the runner', async () => {
    const { host, child, stall } = room.pair();
    const flowing = new Promise<void>((resolve) => {
      host.onOutput = (stream) => stream.once('data', () => resolve()).resume();
    });
    void host.run(room.program(flood)).catch(() => undefined);
    await flowing;
    stall();
    const runner = await pidOne(child.pid);
    await untilIdle(runner);
    expect(await peakMegabytes(runner)).toBeLessThan(150);
  });
});

describe('K: a host that is gone', () => {
  it.each([
    ['sleeps', 'setInterval(() => undefined, 1000);'],
    ['spins', 'for (;;);'],
    ['leaves daemons', `${daemon} setInterval(() => undefined, 1000);`],
    ['floods stdout', flood],
  ])('K178 the end of stdin is the end of a sandbox whose job %s, within a second', async (_, code) => {
    const { host, child, exited } = room.pair();
    const { promise: started, settle } = untilText('go');
    host.onOutput = (stream, path) => {
      if (path === '/stdout') stream.on('data', settle);
    };
    void host.run(room.program(`process.stdout.write('go'); ${code}`)).catch(() => undefined);
    await started;
    child.stdin.end();
    // The first process of the namespace has ended, and the kernel with it every other.
    expect(await elapsed(exited)).toBeLessThan(1000);
  });

  it('K178 the end of stdin is seen behind a download, while nobody reads what the sandbox sends', async () => {
    const { host, child, exited, stall } = room.pair();
    const { promise: started, settle } = untilText('go');
    host.onOutput = (stream, path) => {
      if (path === '/stdout') stream.on('data', settle);
    };
    const downloading = new Promise<ServerHttp2Stream>((resolve) => {
      host.onEgress = (stream) => {
        stream.respond({ ':status': 200 });
        resolve(stream);
      };
    });
    const code = `const socket = connect(); socket.pause(); process.stdout.write('go'); ${flood}`;
    void host.run(room.program(code)).catch(() => undefined);
    const download = await downloading;
    await started;
    stall();
    const runner = await pidOne(child.pid);
    await untilIdle(runner);
    download.write(Buffer.alloc(900_000));
    await untilIdle(runner);
    child.stdin.end();
    expect(await elapsed(exited)).toBeLessThan(1000);
  });
});

/** Resolves once `text` has come in through `settle`. */
function untilText(text: string): { promise: Promise<void>; settle: (chunk: Buffer) => void } {
  let received = '';
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return {
    promise,
    settle: (chunk) => {
      if (received.length < 1000) received += chunk.toString();
      if (received.includes(text)) resolve();
    },
  };
}

/** The runner as this machine numbers it: the only child of what started it. */
async function pidOne(starter: number | undefined): Promise<number> {
  return Number((await readFile(`/proc/${starter}/task/${starter}/children`, 'utf8')).trim());
}

/** Resolves once nothing is left of the job. */
async function untilChildless(pid: number): Promise<void> {
  while ((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim() !== '') await delay(lookMs);
}

/** Resolves once the process waits for somebody else: it has used no processor time for ten looks. */
async function untilIdle(pid: number): Promise<void> {
  let before = '';
  for (let same = 0; same < 10; ) {
    await delay(lookMs);
    // After the name, which ends with `)`, the 12th and 13th field: time in user mode and in the kernel.
    const now = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ').slice(11, 13).join() ?? '';
    same = now === before ? same + 1 : 0;
    before = now;
  }
}

async function blocksOnStdout(pid: number): Promise<boolean> {
  const flags = /flags:\s*(\d+)/.exec(await readFile(`/proc/${pid}/fdinfo/1`, 'utf8'))?.[1] ?? '';
  return (Number.parseInt(flags, 8) & constants.O_NONBLOCK) === 0;
}

async function peakMegabytes(pid: number): Promise<number> {
  return Number(/VmHWM:\s*(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

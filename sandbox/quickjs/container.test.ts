import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bundleQuickjs } from '../../build/quickjsBundle.ts';
import { sandboxEnvNames } from '../../main/backends/docker/runnerJob.ts';
import { runtimeTable } from '../../main/backends/docker/runtimeTable.ts';
import { root } from '../../scripts/setup/checkout.ts';
import { containerEnvNames } from './containerEnvironment.ts';

const row = runtimeTable.find(({ runtime }) => runtime === 'quickjs');

/** The job's folder and the image's, in one. */
let folder = '';
let proxy: Server;
let onRequest: (request: IncomingMessage, response: ServerResponse) => void = () => {};
let onTunnel: (request: IncomingMessage, socket: Socket) => void = () => {};

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'quickjs-'));
  for (const [name, bytes] of Object.entries(await bundleQuickjs(root))) {
    await writeFile(path.join(folder, path.basename(name)), bytes);
  }
  proxy = createServer((request, response) => onRequest(request, response));
  proxy.on('connect', (request, socket: Socket) => onTunnel(request, socket));
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
}, 30_000);

afterEach(() => proxy.closeAllConnections());

afterAll(async () => {
  proxy.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs code as the row says, with the paths of the image in `folder`. */
async function run(code: string, env: Readonly<Record<string, string>> = {}) {
  const file = path.join(folder, 'main.ts');
  await writeFile(file, code);
  const address = proxy.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const [, ...args] = (row?.command ?? []).map((word) =>
    word
      .replace(/\/tmp\/\*$/, `${folder}/*`)
      .replace('/app/', `${folder}/`)
      .replace('/tmp/job/main.ts', file),
  );
  const child = spawn(process.execPath, args, {
    env: { ...env, ...row?.env, HTTP_PROXY: url, HTTPS_PROXY: url, NO_PROXY: '', HOME: '/tmp', PATH: '/usr/bin' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { stdout, stderr, exitCode };
}

describe('QuickJS in a container', () => {
  it('runs TypeScript, prints to both streams and ends as the code ends', async () => {
    const code = "const word: string = 'out'; console.log(word); console.error('err'); process.exitCode = 5;";
    expect(await run(code)).toEqual({ stdout: 'out\n', stderr: 'err\n', exitCode: 5 });
    const { stderr, exitCode } = await run("throw new TypeError('boom')");
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('boom')]);
    expect(await run('await new Promise(() => {})')).toMatchObject({ exitCode: 13 });
  });

  it('shows the code what the job brought and nothing of the container', async () => {
    const { stdout } = await run('console.log(JSON.stringify(process.env))', { GREETING: 'hello', SKILL_ARGS: '[]' });
    expect(JSON.parse(stdout)).toEqual({ GREETING: 'hello', SKILL_ARGS: '[]' });
    expect([...containerEnvNames].sort()).toEqual([...sandboxEnvNames, ...Object.keys(row?.env ?? {})].sort());
  });

  it('prints all of a lot of output before it ends', async () => {
    const { stdout, exitCode } = await run(
      "for (let i = 0; i < 30; i++) console.log('x'.repeat(65535)); process.exit(4)",
    );
    expect([stdout.length, exitCode]).toEqual([30 * 65536, 4]);
  });

  it('sends requests to the proxy with the headers of the code, and framing of its own', async () => {
    const seen: unknown[] = [];
    onRequest = async (request, response) => {
      seen.push([
        request.method,
        request.url,
        request.headers['x-a'],
        request.headers['content-length'],
        await text(request),
      ]);
      response.writeHead(201, 'Made', { 'x-b': 'c', 'set-cookie': ['d=1', 'e=2'] }).end('pong');
    };
    const { stdout } = await run(`
const answer = await fetch('http://api.test/echo?x=1', { method: 'POST', headers: { 'x-a': 'b', 'content-length': '99' }, body: 'ping' });
console.log(answer.status, answer.statusText, answer.headers.get('x-b'), answer.headers.getSetCookie().length, await answer.text());
console.log(answer.headers.has('connection'), answer.headers.has('transfer-encoding'));`);
    expect(seen).toEqual([['POST', 'http://api.test/echo?x=1', 'b', '4', 'ping']]);
    expect(stdout).toBe('201 Made c 2 pong\nfalse false\n');
  });

  it('asks for a tunnel for https, and takes a refused one for an answer', async () => {
    const asked: string[] = [];
    onTunnel = (request, socket) => {
      asked.push(request.url ?? '');
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    };
    const { stdout } = await run(
      "const r = await fetch('https://api.test/x'); console.log(r.status, (await r.json()).error)",
    );
    expect(asked).toEqual(['api.test:443']);
    expect(stdout).toBe('403 tunnel_refused\n');
  });

  it('lets the answer flow only as far as the code reads it', async () => {
    const whole = 32 * 1024 * 1024;
    let big: ServerResponse | null = null;
    let waiting = 0;
    onRequest = (request, response) => {
      if (request.url?.endsWith('/look') === true) {
        waiting = big?.writableLength ?? 0;
        response.end();
        return;
      }
      big = response;
      response.write(Buffer.alloc(whole));
      response.end();
    };
    const { stdout } = await run(`
const reader = (await fetch('http://api.test/big')).body.getReader();
let size = (await reader.read()).value.length;
await new Promise((resolve) => setTimeout(resolve, 300));
await fetch('http://api.test/look');
for (let piece; !(piece = await reader.read()).done; ) size += piece.value.length;
console.log(size);`);
    // The kernel holds some of it, too.
    expect(waiting).toBeGreaterThan(whole / 2);
    expect(stdout).toBe(`${whole}\n`);
  });

  it('ends a request that the code gives up, and says so when there is nobody', async () => {
    let closed = Promise.resolve();
    onRequest = (request) => {
      closed = once(request.socket, 'close').then(() => {});
    };
    const { stdout } = await run(`
const ending = AbortSignal.timeout(200);
await fetch('http://api.test/', { signal: ending }).catch((error) => console.log(error.name));
await new Promise((resolve) => setTimeout(resolve, 100));
await fetch('ftp://api.test/').catch((error) => console.log(error.message));`);
    await closed;
    expect(stdout).toMatch(/^TimeoutError\nfetch failed/);
  });

  it('says so when memory is out, and goes on to nothing', async () => {
    const { stderr, exitCode } = await run("const all = []; for (;;) all.push('x'.repeat(1e6) + all.length)");
    expect(stderr).toContain('memory');
    expect(exitCode).toBe(1);
  });
});

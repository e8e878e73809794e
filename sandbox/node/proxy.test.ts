import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const file = fileURLToPath(new URL('proxy.cjs', import.meta.url));

let proxy: Server;
let asked: string[];
let url: string;

beforeEach(async () => {
  asked = [];
  // Refuses everything, as plainly as the real one.
  proxy = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (bytes) => {
      asked.push(bytes.toString('latin1').split('\r\n')[0] ?? '');
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
});
afterEach(() => {
  proxy.close();
});

/** What the code prints, with the preload as the image gives it. */
async function run(code: string, inputType = 'module'): Promise<string> {
  const proxies = { HTTP_PROXY: url, HTTPS_PROXY: url, http_proxy: url, https_proxy: url, NO_PROXY: '', no_proxy: '' };
  const env = { ...proxies, NODE_OPTIONS: `--require=${file}` };
  const child = spawn(process.execPath, [`--input-type=${inputType}`, '-e', code], { env, stdio: 'pipe' });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (output += String(bytes)));
  await once(child, 'close');
  return output;
}

describe('Node in its image', () => {
  it('finds the proxy when it fetches', async () => {
    await run("await fetch('https://a.test/').catch(() => {}); await fetch('http://b.test/').catch(() => {});");
    expect(asked).toEqual(['CONNECT a.test:443 HTTP/1.1', 'CONNECT b.test:80 HTTP/1.1']);
  });

  it.each([
    ['an import', 'module', "import http from 'node:http'; import https from 'https';"],
    [
      'an import that is made later',
      'module',
      "const http = await import('http'), https = await import('node:https');",
    ],
    [
      'getBuiltinModule',
      'module',
      "const http = process.getBuiltinModule('http'), https = process.getBuiltinModule('https');",
    ],
    ['a require', 'commonjs', "const http = require('http'), https = require('node:https');"],
  ])('finds it with the modules http and https through %s', async (_name, type, imports) => {
    await run(
      `${imports} http.get('http://a.test/x', (answer) => { answer.resume(); https.get('https://b.test/').on('error', () => {}); });`,
      type,
    );
    expect(asked).toEqual(['GET http://a.test/x HTTP/1.1', 'CONNECT b.test:443 HTTP/1.1']);
  });

  it('finds it in children and threads', async () => {
    await run(
      `const { spawnSync } = require('node:child_process');
      const code = "fetch('https://child.test/').catch(() => {})";
      require('node:child_process').spawn(process.execPath, ['-e', code]).on('close', () => {
        new (require('node:worker_threads').Worker)("fetch('https://thread.test/').catch(() => {})", { eval: true });
      });`,
      'commonjs',
    );
    expect(asked).toEqual(['CONNECT child.test:443 HTTP/1.1', 'CONNECT thread.test:443 HTTP/1.1']);
  });

  it('finds it for a WebSocket', async () => {
    const open = (url: string) => `new WebSocket('${url}').addEventListener('error', () => {});`;
    await run(`${open('wss://a.test/')} ${open('ws://b.test/')}`);
    expect(asked.toSorted()).toEqual(['CONNECT a.test:443 HTTP/1.1', 'CONNECT b.test:80 HTTP/1.1']);
  });

  it('passes on what fetch was given, and calls nobody by itself', async () => {
    const refused = "await fetch('https://a.test/', { method: 'NOT A METHOD' }).catch((e) => console.log(e.message));";
    expect(await run(refused)).toContain('NOT A METHOD');
    expect(await run('console.log(typeof fetch, fetch.name)')).toBe('function fetch\n');
    expect(asked).toEqual([]);
  });
});

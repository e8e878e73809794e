import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { makeAuthority } from '../tests/support/certificates.ts';
import { startProgram } from './process.ts';
import { type Race, race } from './race.ts';

const REQUESTS = 100;
/** Not counted: code that is run for the first time. */
const FIRST = 10;
const hostName = 'api.bench.example';

type Proxy = Readonly<{ port: number; cpuPort: number; authorization: string; ca: string }>;

const kinds = [
  { keep: true, name: 'one connection for all' },
  { keep: false, name: 'a connection for each' },
] as const;

/** Real TLS to the service through a tunnel of this proxy. */
async function open({ port, ca }: Proxy): Promise<TLSSocket> {
  const socket = connectTcp({ host: '127.0.0.1', port, noDelay: true });
  socket.write(`CONNECT ${hostName}:443 HTTP/1.1\r\nHost: ${hostName}:443\r\n\r\n`);
  await once(socket, 'data');
  socket.pause();
  const secured = connectTls({ socket, servername: hostName, ca, ALPNProtocols: ['http/1.1'] });
  await once(secured, 'secureConnect');
  return secured;
}

function ask(socket: TLSSocket, authorization: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { host: hostName, connection: 'keep-alive', authorization };
    httpsRequest({ createConnection: () => socket, path: '/', headers }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`HTTP ${answer.statusCode}`));
      answer.resume().on('end', resolve);
    })
      .on('error', reject)
      .end();
  });
}

/** How long each of so many requests took, ms. */
async function times(proxy: Proxy, keep: boolean, count: number): Promise<readonly number[]> {
  const taken: number[] = [];
  let socket = keep ? await open(proxy) : null;
  for (let request = 0; request < count; request += 1) {
    const started = performance.now();
    socket ??= await open(proxy);
    await ask(socket, proxy.authorization);
    taken.push(performance.now() - started);
    if (keep) continue;
    socket.destroy();
    socket = null;
  }
  socket?.destroy();
  return taken;
}

const cpuOf = async ({ cpuPort }: Proxy): Promise<number> => {
  return Number(await (await fetch(`http://127.0.0.1:${cpuPort}/`)).text());
};

async function cpuPerRequest(proxy: Proxy, keep: boolean): Promise<readonly number[]> {
  const before = await cpuOf(proxy);
  await times(proxy, keep, REQUESTS);
  return [((await cpuOf(proxy)) - before) / REQUESTS];
}

/**
 * One request with a secret through the gateway (front end for containers, policy, substitution, redaction) against a proxy
 * that ends TLS and passes the bytes on, each in a Node process of its own before the same service.
 */
export async function benchGateway(rounds: number): Promise<readonly Race[]> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-bench-'));
  const undo: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
  const start = async (fixture: string, ...args: readonly string[]): Promise<readonly string[]> => {
    const path = join(import.meta.dirname, 'fixtures', fixture);
    const program = await startProgram([process.execPath, path, folder, ...args], process.env, (line) =>
      line.startsWith('ready '),
    );
    undo.push(() => program.stop());
    return program.line.split(' ').slice(1);
  };
  try {
    const key = `sk-bench-${randomBytes(24).toString('base64url')}`;
    const authority = await makeAuthority('OAuth3 bench');
    const { cert, key: certKey } = await authority.issue([hostName]);
    const files = { 'cert.pem': cert, 'key.pem': certKey, 'key.txt': key, 'roots.pem': authority.certPem };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
    const [upstream = ''] = await start('httpsServer.ts', '127.0.0.1');
    const [ourPort, ourCpu, placeholder] = await start('gatewayProxy.ts', upstream, hostName);
    const [barePort, bareCpu] = await start('bareProxy.ts', upstream, hostName);
    const ours: Proxy = {
      port: Number(ourPort),
      cpuPort: Number(ourCpu),
      authorization: `Bearer ${placeholder}`,
      ca: readFileSync(join(folder, 'gateway.pem'), 'utf8'),
    };
    const bare: Proxy = {
      port: Number(barePort),
      cpuPort: Number(bareCpu),
      authorization: `Bearer ${key}`,
      ca: authority.certPem,
    };
    const aim = { text: '<= 1.5', holds: (ratio: number) => ratio <= 1.5 };
    const races: Race[] = [];
    for (const { keep, name } of kinds) {
      const latency = async (proxy: Proxy) => (await times(proxy, keep, FIRST + REQUESTS)).slice(FIRST);
      races.push(
        await race(`Gateway, time of a request, ${name}`, 'ms', rounds, [
          { name: 'gateway', measure: () => latency(ours) },
          { name: 'bare pass-through', measure: () => latency(bare), aim },
        ]),
        await race(`Gateway, CPU of the proxy for a request, ${name}`, 'ms', rounds, [
          { name: 'gateway', measure: () => cpuPerRequest(ours, keep) },
          { name: 'bare pass-through', measure: () => cpuPerRequest(bare, keep), aim },
        ]),
      );
    }
    return races;
  } finally {
    for (const step of undo.toReversed()) await step();
  }
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { packTar } from 'modern-tar';
import { z } from 'zod';
import type { EngineApi } from '../../main/backends/docker/engineApi.ts';
import { ensureTestRegistry } from '../../scripts/setup/testRegistry.ts';
import { engineUnderTest } from './testEngine.ts';

const startLimitMs = 10_000;

/** A port of the loopback that nobody listens on. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
};

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    (response) => response.ok,
    () => false,
  );

/** A registry of images of its own, on the loopback: engines speak plain HTTP to that. */
export const startRegistry = async (): Promise<Readonly<{ host: string; stop(): Promise<void> }>> => {
  const program = await ensureTestRegistry();
  const folder = await mkdtemp(path.join(tmpdir(), 'registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const config = { version: '0.1', storage: { filesystem: { rootdirectory: folder } }, http: { addr: host } };
  const file = path.join(folder, 'config.yml');
  await writeFile(file, JSON.stringify({ ...config, log: { level: 'error', accesslog: { disabled: true } } }));
  const child = spawn(program, ['serve', file], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + startLimitMs;
  while (!(await answers(`http://${host}/v2/`))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error('the registry does not start');
    }
    await delay(20);
  }
  return { host, stop };
};

/** Label of everything that this process puts into an engine, and of all that is built on it. */
export const standInLabel = `oauth3.test=registry-${crypto.randomUUID()}`;

type StandIn = Readonly<Record<string, Readonly<{ bytes: Uint8Array; mode: number }>>>;
const pushLineSchema = z.looseObject({
  error: z.string().optional(),
  aux: z.looseObject({ Digest: z.string().optional() }).optional(),
});
const noCredentials = { 'x-registry-auth': Buffer.from('{}').toString('base64') };

/** Not by EngineApi: the app never pushes, and a push wants a header that nothing else does. */
async function push(path: string): Promise<readonly unknown[]> {
  const { socketPath } = engineUnderTest();
  const asked = request({ socketPath, method: 'POST', path, headers: noCredentials }).end();
  const [answer] = await once(asked, 'response');
  return (await text(answer))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Puts an image of these files (absolute paths) into a registry and out of the engine; gives its digest there. */
export const publish = async (engine: EngineApi, name: string, tag: string, files: StandIn): Promise<string> => {
  const entries = Object.entries(files).map(([file, { bytes, mode }]) => ({
    header: { name: file.slice(1), size: bytes.byteLength, mode },
    body: bytes,
  }));
  const archive = Readable.from([await packTar(entries)]);
  const query = { fromSrc: '-', repo: name, tag, changes: `LABEL ${standInLabel}` };
  await engine.send({ method: 'POST', path: '/images/create', query, archive });
  let digest = '';
  for (const value of await push(`/images/${name}/push?tag=${tag}`)) {
    const line = pushLineSchema.parse(value);
    if (line.error !== undefined) throw new Error(line.error);
    digest = line.aux?.Digest ?? digest;
  }
  await engine.send({ method: 'DELETE', path: `/images/${name}:${tag}`, query: { force: '1' } });
  return digest;
};

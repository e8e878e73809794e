import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createSilent } from 'node:net';
import path from 'node:path';
import { unpackTar } from 'modern-tar';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { engineEndpoint } from '../../main/backends/docker/endpoint.ts';
import { EngineApi } from '../../main/backends/docker/engineApi.ts';
import { enginePlatform } from '../../main/backends/docker/images/enginePlatform.ts';
import { faultAt } from '../../main/backends/docker/images/imageCheck.ts';
import { imageLabels } from '../../main/backends/docker/images/imageLabels.ts';
import { ImageError, type ImageProgress, type ImageWish } from '../../main/backends/docker/images/ports.ts';
import { RegistrySource } from '../../main/backends/docker/images/registrySource.ts';
import { type RuntimeRow, runtimeTable } from '../../main/backends/docker/runtimeTable.ts';
import { root } from '../../scripts/setup/checkout.ts';
import { run } from '../../scripts/setup/command.ts';
import { freePort, publish, standInLabel, startRegistry } from '../support/imageRegistry.ts';

const folder = path.join(root, 'sandbox/images');
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const program = (text: string) => ({ bytes: bytesOf(text), mode: 0o755 });

let engine: EngineApi;
let registry: Awaited<ReturnType<typeof startRegistry>>;
/** Stand-ins for public images, by the tags that they have in the registry. */
const published: Record<string, string> = {};
const made = new Set<string>();

/** Node with what it links to, a shell, a package manager and a setuid program, as a public image would have them. */
async function nodeFiles() {
  const { stdout } = await run('ldd', [process.execPath]);
  const libraries = [...stdout.matchAll(/(\/\S+\.so\S*)/g)].map(([, file = '']) => file);
  const files = await Promise.all(
    libraries.map(async (file) => [file, { bytes: await readFile(file), mode: 0o755 }] as const),
  );
  return {
    ...Object.fromEntries(files),
    '/usr/local/bin/node': { bytes: await readFile(process.execPath), mode: 0o755 },
    '/usr/local/lib/node_modules/npm/index.js': program(''),
    '/usr/local/bin/npm': program('#!/bin/sh\n'),
    '/bin/sh': program('a shell'),
    '/usr/bin/su': { bytes: bytesOf('su'), mode: 0o4755 },
    '/usr/sbin/useradd': program('useradd'),
    '/etc/os-release': program('ID=stand-in\n'),
  };
}

const rowOf = (runtime: string): RuntimeRow => {
  const row = runtimeTable.find((each) => each.runtime === runtime);
  if (row === undefined) throw new Error(`no row for ${runtime}`);
  return row;
};

/** A wish whose public images are stand-ins: build argument -> `tag` in our registry, or a whole reference. */
function wishOf(runtime: string, images: Readonly<Record<string, string>>, more: Partial<ImageWish> = {}): ImageWish {
  const row = rowOf(runtime);
  const publicImages = Object.fromEntries(
    Object.entries(images).map(([argument, image]) => [
      argument,
      image.includes('@') ? image : `${registry.host}/oauth3/public:${image}@${published[image]}`,
    ]),
  );
  const text = `// the runner of ${runtime}`;
  return {
    row: { ...row, image: { ...row.image, publicImages } },
    variant: 'sealed',
    runner: { bytes: bytesOf(text), sha256: digestOf(text) },
    own: Object.fromEntries(Object.values(row.image.own).map((target) => [target, bytesOf(`// ${target}`)])),
    recipe: digestOf(`${runtime} ${Math.random()}`),
    ...more,
  };
}

async function make(
  wish: ImageWish,
  signal = new AbortController().signal,
  patience = { firstMs: 20_000, nextMs: 20_000 },
) {
  const progress: ImageProgress[] = [];
  const source = new RegistrySource(engine, folder, patience);
  const id = await source.make(wish, (each) => progress.push(each), signal);
  made.add(id);
  return { id, progress };
}

async function failure(making: Promise<unknown>): Promise<ImageError> {
  const error = await making.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ImageError)) throw new Error(`no ImageError: ${error}`);
  return error;
}

const imageSchema = z.looseObject({
  Config: z.looseObject({
    Labels: z.record(z.string(), z.string()),
    User: z.string(),
  }),
});
const listSchema = z.array(z.looseObject({ Id: z.string() }));
const createdSchema = z.looseObject({ Id: z.string() });

/** Names in a folder of an image, with their modes. */
async function listed(image: string, place: string): Promise<Record<string, number>> {
  const json = { Image: image, Cmd: ['/none'], Labels: { 'oauth3.test': 'registry' } };
  const { Id } = await engine.json({ method: 'POST', path: '/containers/create', json }, createdSchema);
  try {
    const query = { path: place };
    const answer = await engine.bytes({ method: 'GET', path: `/containers/${Id}/archive`, query });
    const entries = await unpackTar(Buffer.concat(await answer.toArray()));
    return Object.fromEntries(
      entries
        .filter(({ header }) => header.type !== 'directory')
        .map(({ header }) => [path.basename(header.name), (header.mode ?? 0) & 0o7777]),
    );
  } finally {
    await engine.send({ method: 'DELETE', path: `/containers/${Id}`, query: { force: '1' } });
  }
}

const unfinished = (): Promise<unknown[]> => {
  const filters = JSON.stringify({ label: ['oauth3.app=sandbox-build', standInLabel] });
  return engine.json({ method: 'GET', path: '/containers/json', query: { all: '1', filters } }, listSchema);
};

/** What the tests published, and what the builder keeps of builds on that. */
async function removeImages(): Promise<void> {
  const filters = JSON.stringify({ label: [standInLabel] });
  const images = await engine.json({ method: 'GET', path: '/images/json', query: { filters } }, listSchema);
  for (const { Id } of images) {
    await engine.send({ method: 'DELETE', path: `/images/${Id}`, query: { force: '1' } }).catch(() => {});
  }
}

beforeAll(async () => {
  const endpoint = engineEndpoint(inject('engine')?.url ?? null, process.platform);
  if (endpoint.kind === 'unsupported') throw new Error(endpoint.reason);
  engine = new EngineApi(endpoint);
  registry = await startRegistry();
  const name = `${registry.host}/oauth3/public`;
  published.node = await publish(engine, name, 'node', await nodeFiles());
  published.deno = await publish(engine, name, 'deno', { '/deno': program('deno') });
  const pythonOwn = { '/usr/local/bin/python3.11': program('python'), '/usr/local/bin/pip': program('pip') };
  published.python = await publish(engine, name, 'python', { ...(await nodeFiles()), ...pythonOwn });
  published.broken = await publish(engine, name, 'broken', { '/usr/local/bin/node': program('not a program') });
});

afterAll(async () => {
  for (const id of made)
    await engine.send({ method: 'DELETE', path: `/images/${id}`, query: { force: '1' } }).catch(() => {});
  await removeImages();
  await registry.stop();
  engine.close();
});

describe('Images made on public ones', () => {
  it('fetches them by digest, tells how far it is, and labels what it builds', async () => {
    const wish = wishOf('node', { NODE_BASE: 'node' });
    const { id, progress } = await make(wish);
    const { Config } = await engine.json({ method: 'GET', path: `/images/${id}/json` }, imageSchema);
    expect(Config.Labels).toMatchObject(imageLabels(wish));
    expect(await faultAt(engine, id, wish, await enginePlatform(engine))).toBeNull();
    expect(Config.User).toBe('65532:65532');
    expect([...new Set(progress.map(({ step }) => step))]).toEqual([
      'fetching public:node (1 of 2)',
      'building it (2 of 2)',
    ]);
    const done = progress.flatMap((each) => (each.done === null ? [] : [each.done]));
    expect(done.some((each) => each > 0 && each < 1)).toBe(true);
    expect(done.at(-1)).toBe(1);
    expect(done).toEqual(done.toSorted((left, right) => left - right));
  });

  it('leaves node as the only program, execute-only for runc and readable for gVisor', async () => {
    const sealed = await make(wishOf('node', { NODE_BASE: 'node' }));
    const readable = await make(wishOf('node', { NODE_BASE: 'node' }, { variant: 'readable' }));
    expect(await listed(sealed.id, '/usr/local/bin')).toEqual({ node: 0o711 });
    expect(await listed(readable.id, '/usr/local/bin')).toEqual({ node: 0o755 });
    for (const place of ['/bin', '/usr/bin', '/usr/sbin', '/usr/local/lib']) {
      expect(await listed(sealed.id, place)).not.toHaveProperty('sh');
      expect(Object.keys(await listed(sealed.id, place))).toEqual([]);
    }
  });

  it('builds the images of all rows, each with its own files', async () => {
    const deno = await make(wishOf('deno', { NODE_BASE: 'node', DENO_BIN: 'deno' }));
    const python = await make(wishOf('python', { NODE_BASE: 'node', PYTHON_BASE: 'python' }));
    const quickjs = await make(wishOf('quickjs', { NODE_BASE: 'node' }));
    expect(await listed(deno.id, '/usr/local/bin')).toEqual({ node: 0o711, deno: 0o755 });
    expect(await listed(python.id, '/usr/local/bin')).toEqual({ node: 0o711, 'python3.11': 0o755 });
    expect(Object.keys(await listed(python.id, '/usr/bin'))).toEqual(['python3']);
    expect(Object.keys(await listed(quickjs.id, '/app')).sort()).toEqual([
      'prepare.mjs',
      'quickjs.mjs',
      'quickjs.wasm',
      'runner.mjs',
    ]);
    for (const row of runtimeTable) {
      expect(Object.keys(row.image.publicImages).sort(), row.runtime).toEqual(await argumentsOf(row));
    }
  });

  it('says which image cannot be had when the digest is not in the registry', async () => {
    const reference = `${registry.host}/oauth3/public:node@sha256:${digestOf('another')}`;
    const { message } = await failure(make(wishOf('node', { NODE_BASE: reference })));
    expect(message).toContain('public:node');
    expect(message).toContain('could not be fetched');
  });

  it('takes nothing that is named without a digest, or without a registry', async () => {
    for (const name of [`${registry.host}/oauth3/public:node`, `node@${published.node}`]) {
      const wish = wishOf('node', {});
      const row = { ...wish.row, image: { ...wish.row.image, publicImages: { NODE_BASE: name } } };
      expect((await failure(make({ ...wish, row }))).message).toContain('by digest');
    }
  });

  it('refuses what a lying registry sends for a digest (ATTACKS H145)', async () => {
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    });
    const liar = createServer((asked, answer) => {
      answer.setHeader('content-type', 'application/vnd.docker.distribution.manifest.v2+json');
      answer.end(asked.url === '/v2/' ? '{}' : manifest);
    });
    const wanted = `${await listening(liar)}/oauth3/public:node@sha256:${digestOf('what was examined')}`;
    const { message } = await failure(make(wishOf('node', { NODE_BASE: wanted })));
    expect(message).toContain('could not be fetched');
    liar.close();
  });

  it('is not moved by a tag that is (ATTACKS H145)', async () => {
    const before = published.deno;
    await publish(engine, `${registry.host}/oauth3/public`, 'deno', { '/deno': program('another deno, and longer') });
    expect(published.deno).toBe(before);
    // Gone from the engine, so that it asks the registry again.
    const reference = `${registry.host}/oauth3/public@${before}`;
    await engine.send({ method: 'DELETE', path: `/images/${reference}`, query: { force: '1' } });
    const { id, progress } = await make(wishOf('deno', { NODE_BASE: 'node', DENO_BIN: 'deno' }));
    expect(progress[0]?.step).toContain('fetching public:deno');
    const { Id } = await engine.json(
      { method: 'POST', path: '/containers/create', json: { Image: id, Cmd: ['/none'] } },
      createdSchema,
    );
    const answer = await engine.bytes({
      method: 'GET',
      path: `/containers/${Id}/archive`,
      query: { path: '/usr/local/bin/deno' },
    });
    const [deno] = await unpackTar(Buffer.concat(await answer.toArray()));
    await engine.send({ method: 'DELETE', path: `/containers/${Id}` });
    expect(Buffer.from(deno?.data ?? []).toString()).toBe('deno');
  });

  it('fails quickly and in plain words when there is no registry', async () => {
    const started = performance.now();
    const nowhere = `127.0.0.1:${await freePort()}/oauth3/public:node@${published.node}`;
    const { message } = await failure(make(wishOf('node', { NODE_BASE: nowhere })));
    expect(message).toMatch(/public:node .*could not be fetched: .*connection refused/);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('gives up on a registry that takes the connection and says nothing', async () => {
    const silent = createSilent();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const wanted = `127.0.0.1:${port}/oauth3/public:node@${published.node}`;
    const making = make(wishOf('node', { NODE_BASE: wanted }), undefined, { firstMs: 1000, nextMs: 1000 });
    expect((await failure(making)).message).toContain('nothing came from its registry for 1 seconds');
    silent.close();
  });

  it('leaves no container behind when a step fails, or when it is stopped in the middle', async () => {
    const failed = await failure(make(wishOf('node', { NODE_BASE: 'broken' })));
    expect(failed.message).toContain('could not build the image for node');
    expect(await unfinished()).toEqual([]);
    const stopping = new AbortController();
    // A variant that was not built before, so that the step runs and is not found in the builder's memory.
    const source = new RegistrySource(engine, folder);
    const making = source.make(
      wishOf('python', { NODE_BASE: 'node', PYTHON_BASE: 'python' }, { variant: 'readable' }),
      ({ step }) => {
        if (step.startsWith('building')) void untilRunning().then(() => stopping.abort());
      },
      stopping.signal,
    );
    expect((await failure(making)).message).toBe('It was stopped');
    await expect.poll(unfinished, { timeout: 30_000 }).toEqual([]);
  });
});

/** Resolves while a step of a build runs. */
async function untilRunning(): Promise<void> {
  while ((await unfinished()).length === 0);
}

/** The arguments of a row's Dockerfile that name images: those before its first FROM. */
async function argumentsOf(row: RuntimeRow): Promise<readonly string[]> {
  const text = await readFile(path.join(folder, row.image.dockerfile), 'utf8');
  const [head = ''] = text.split(/^FROM /m);
  return [...head.matchAll(/^ARG (\w+)$/gm)].map(([, name = '']) => name).sort();
}

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

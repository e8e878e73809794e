import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { createTarDecoder, type TarHeader } from 'modern-tar';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { engineEndpoint } from '../../main/backends/docker/endpoint.ts';
import { EngineApi } from '../../main/backends/docker/engineApi.ts';
import { imageBasis } from '../../main/backends/docker/imageBasis.ts';
import { ImageBook, type ImageMade } from '../../main/backends/docker/images/imageBook.ts';
import { imageLabels, imageTag } from '../../main/backends/docker/images/imageLabels.ts';
import { PackagesSource } from '../../main/backends/docker/images/packagesSource.ts';
import {
  ImageError,
  type ImageProgress,
  type ImageSource,
  type ImageVariant,
  type ImageWish,
} from '../../main/backends/docker/images/ports.ts';
import { type ImageFiles, imageWish } from '../../main/backends/docker/images/recipe.ts';
import { type RuntimeRow, runtimeTable } from '../../main/backends/docker/runtimeTable.ts';
import { madeInMemory } from '../../main/backends/docker/testing.ts';
import { sha256Hex } from '../../main/core/digest.ts';
import { silentLog } from '../../main/core/log.ts';

/** Making everything anew fetches some 60 MB and compiles a library, beside whatever else the machine does. */
const bakeLimitMs = 5 * 60_000;

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
/** A runner of these tests alone: it gives their images recipes that no other image on the engine has. */
const runner = bytesOf(`// ${Math.random()}\nprocess.stdin.resume();\n`);
const ownFiles = Object.fromEntries(
  runtimeTable.flatMap(({ image }) => Object.keys(image.own).map((name) => [name, bytesOf(`// ${name}`)] as const)),
);
const files: ImageFiles = { runner: { bytes: runner, sha256: sha256Hex(runner) }, own: ownFiles };

const rowOf = (runtime: string): RuntimeRow => {
  const row = runtimeTable.find((each) => each.runtime === runtime);
  if (row === undefined) throw new Error(`no row for ${runtime}`);
  return row;
};
const wishOf = (runtime: string, variant: ImageVariant = 'sealed'): ImageWish =>
  imageWish(rowOf(runtime), variant, files);
/** As a wish, with something changed in the row's image; the recipe is one of its own. */
const changed = (
  runtime: string,
  image: Partial<RuntimeRow['image']>,
  own: ImageFiles['own'] = ownFiles,
): ImageWish => {
  const row = rowOf(runtime);
  return imageWish({ ...row, image: { ...row.image, ...image } }, 'sealed', { ...files, own });
};

let engine: EngineApi;
/** The cache that the tests share which are not about baking. */
let cache = '';
const folders: string[] = [];
const wishes: ImageWish[] = [];

const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'oauth3-images-'));
  folders.push(folder);
  return folder;
};

const idSchema = z.looseObject({ Id: z.string() });
const waitSchema = z.looseObject({ StatusCode: z.number() });

async function make(
  wish: ImageWish,
  report: (progress: ImageProgress) => void = () => {},
  place = cache,
  signal?: AbortSignal,
) {
  wishes.push(wish);
  return new PackagesSource(engine, place).make(wish, report, signal ?? AbortSignal.timeout(bakeLimitMs));
}

const removeImage = (wish: ImageWish): Promise<void> =>
  engine.send({ method: 'DELETE', path: `/images/${imageTag(wish)}`, query: { force: '1' } });

const imageIds = async (wish: ImageWish): Promise<readonly string[]> => {
  const filters = JSON.stringify({ label: [`oauth3.recipe=${wish.recipe}`] });
  const found = await engine.json(
    { method: 'GET', path: '/images/json', query: { all: '1', filters } },
    z.array(idSchema),
  );
  return found.map(({ Id }) => Id);
};

async function withContainer<Result>(image: string, command: readonly string[], body: (id: string) => Promise<Result>) {
  const HostConfig = { NetworkMode: 'none', ReadonlyRootfs: true, CapDrop: ['ALL'] };
  const json = { Image: image, Entrypoint: command, Labels: { 'oauth3.test': 'images' }, HostConfig };
  const { Id } = await engine.json({ method: 'POST', path: '/containers/create', json }, idSchema);
  try {
    return await body(Id);
  } finally {
    await engine.send({ method: 'DELETE', path: `/containers/${Id}`, query: { force: '1', v: '1' } });
  }
}

const exitCode = (image: string, command: readonly string[]): Promise<number> =>
  withContainer(image, command, async (id) => {
    await engine.send({ method: 'POST', path: `/containers/${id}/start` });
    const wait = { method: 'POST', path: `/containers/${id}/wait`, timeoutMs: 60_000 } as const;
    return (await engine.json(wait, waitSchema)).StatusCode;
  });

// The engine itself puts these into every container.
const ofTheEngine = /^(dev\/|\.dockerenv|etc\/(hostname|hosts|resolv\.conf|mtab)$)/;

/** Everything in the image's layers, as the engine unpacked it. */
const contents = (image: string): Promise<readonly TarHeader[]> =>
  withContainer(image, ['/none'], async (id) => {
    const exported = await engine.bytes({ method: 'GET', path: `/containers/${id}/export` });
    const headers: TarHeader[] = [];
    for await (const entry of Readable.toWeb(exported).pipeThrough(createTarDecoder())) {
      headers.push(entry.header);
      await entry.body.cancel();
    }
    return headers.filter(({ name }) => !ofTheEngine.test(name));
  });

/** `name mode owner` of the files that anybody can execute. */
const executables = (headers: readonly TarHeader[]): readonly string[] =>
  headers
    .filter(({ type, mode = 0 }) => type === 'file' && (mode & 0o111) !== 0)
    .map(({ name, mode = 0, uid, gid }) => `${name} ${(mode & 0o7777).toString(8)} ${uid}:${gid}`)
    .sort();

beforeAll(async () => {
  const endpoint = engineEndpoint(inject('engine')?.url ?? null, process.platform);
  if (endpoint.kind === 'unsupported') throw new Error(endpoint.reason);
  engine = new EngineApi(endpoint);
  cache = await newFolder();
});

afterAll(async () => {
  for (const wish of wishes)
    for (const id of await imageIds(wish))
      await engine.send({ method: 'DELETE', path: `/images/${id}`, query: { force: '1' } });
  engine.close();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

describe('images made from packages', () => {
  it(
    'are the same byte for byte each time they are made',
    async () => {
      const wish = wishOf('python');
      const first = await make(wish);
      await removeImage(wish);
      const second = await make(wish, () => {}, await newFolder());
      expect(second).toBe(first);
    },
    2 * bakeLimitMs,
  );

  it('share their lower layers, which are made once', async () => {
    const steps: string[] = [];
    await make(wishOf('python'), ({ step }) => steps.push(step));
    expect(new Set(steps)).toEqual(new Set(['loading it (5 of 5)']));
    const layersSchema = z.looseObject({ RootFS: z.looseObject({ Layers: z.array(z.string()) }) });
    const layersOf = async (wish: ImageWish): Promise<readonly string[]> => {
      const id = await make(wish);
      return (await engine.json({ method: 'GET', path: `/images/${id}/json` }, layersSchema)).RootFS.Layers;
    };
    const [python, node] = [await layersOf(wishOf('python')), await layersOf(wishOf('node'))];
    expect(node.slice(0, 2)).toEqual(python.slice(0, 2));
    expect([node.length, python.length]).toEqual([3, 4]);
  });

  it('hold no shell and no program besides the loader, the runner’s and the runtime’s', async () => {
    const headers = await contents(await make(wishOf('python')));
    const loader =
      process.arch === 'x64'
        ? 'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'
        : 'lib/aarch64-linux-gnu/ld-linux-aarch64.so.1';
    expect(executables(headers)).toEqual([
      `${loader} 755 0:0`,
      'usr/bin/python3.11 755 0:0',
      'usr/local/bin/node 711 0:0',
    ]);
    const names = headers.map(({ name }) => path.basename(name));
    expect(names.filter((name) => /^(sh|[a-z]*ash|busybox|perl.*|env|su|sudo|apt.*|dpkg)$/.test(name))).toEqual([]);
    expect(headers.filter(({ mode = 0 }) => (mode & 0o6000) !== 0)).toEqual([]);
    expect(headers.filter(({ uid, gid }) => uid !== 0 || gid !== 0)).toEqual([]);
    expect(names).toContain('runner.mjs');
  });

  it('have a node that code can execute and not read, and for gVisor one that it can read', async () => {
    const readItself = ['/usr/local/bin/node', '-e', 'require("fs").openSync("/usr/local/bin/node")'];
    expect(await exitCode(await make(wishOf('node')), readItself)).toBe(1);
    const readable = await make(wishOf('node', 'readable'));
    expect(await exitCode(readable, readItself)).toBe(0);
    expect(executables(await contents(readable))).toContain('usr/local/bin/node 755 0:0');
  });

  it('have a Python whose modules work, compiled beforehand', async () => {
    const modules = 'ssl,sqlite3,ctypes,lzma,bz2,zlib,uuid,multiprocessing,asyncio,zoneinfo,requests,certifi';
    const code = [
      `import ${modules},os`,
      'zoneinfo.ZoneInfo("Europe/Berlin")',
      'assert os.path.getsize(certifi.where()) > 100000',
      'assert os.path.exists(requests.__cached__) and os.path.exists(asyncio.__cached__)',
    ].join('\n');
    expect(await exitCode(await make(wishOf('python')), ['/usr/bin/python3', '-s', '-B', '-c', code])).toBe(0);
  });

  it('say what they are', async () => {
    const wish = wishOf('node');
    const id = await make(wish);
    const { Config } = await engine.json(
      { method: 'GET', path: `/images/${id}/json` },
      z.looseObject({ Config: z.looseObject({ Labels: z.record(z.string(), z.string()), User: z.string() }) }),
    );
    expect(Config).toMatchObject({ Labels: imageLabels(wish), User: `${imageBasis.user}:${imageBasis.user}` });
  });
});

describe('making an image', () => {
  it('refuses a package that is not the pinned one', async () => {
    const [file] = rowOf('deno').image.npm;
    if (file === undefined) throw new Error('no file');
    const other = { spec: 'modern-tar@0.8.6', integrity: 'sha512-AAAA' };
    const wish = changed('deno', { npm: [{ ...file, package: { x64: other, arm64: other }, from: 'package.json' }] });
    await expect(make(wish)).rejects.toThrow('modern-tar@0.8.6 is not the package that was examined');
    expect(await imageIds(wish)).toEqual([]);
  });

  it('refuses what brings a shell along', async () => {
    const wish = changed('node', { own: { shell: '/opt/busybox' } }, { shell: bytesOf('#!') });
    await expect(make(wish)).rejects.toThrow('programs that no sandbox may hold: opt/busybox');
    expect(await imageIds(wish)).toEqual([]);
  });

  it('leaves nothing half done when it is stopped while it fetches, and when it loads', async () => {
    const place = await newFolder();
    const wish = wishOf('node', 'readable');
    await removeImage(wish);
    for (const moment of ['fetching node', 'loading it']) {
      const stop = new AbortController();
      const report = ({ step }: ImageProgress) => {
        if (step.startsWith(moment)) stop.abort();
      };
      await expect(make(wish, report, place, stop.signal)).rejects.toThrow();
      expect((await readdir(place)).filter((name) => name.startsWith('making-'))).toEqual([]);
      for (const name of await readdir(place)) {
        expect((await readdir(path.join(place, name))).sort()).toEqual(['layer.tar', 'made.json']);
      }
      expect(await imageIds(wish)).toEqual([]);
    }
    expect(await make(wish, () => {}, place)).toMatch(/^sha256:/);
  });

  it('does not load a layer that was changed in the cache, and makes it anew next time', async () => {
    const wish = changed('node', { own: { note: '/app/note.txt' } }, { note: bytesOf('written by us') });
    const before = new Set(await readdir(cache));
    const id = await make(wish);
    await removeImage(wish);
    const [fresh = ''] = (await readdir(cache)).filter((name) => !before.has(name));
    const layer = path.join(cache, fresh, 'layer.tar');
    const handle = await open(layer, 'r+');
    await handle.write('X', (await stat(layer)).size - 1500);
    await handle.close();
    await expect(make(wish)).rejects.toThrow();
    expect(await imageIds(wish)).toEqual([]);
    expect(await make(wish)).toBe(id);
  });
});

describe('the book of images', () => {
  const until = (book: ImageBook, ready: boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = () => {
        if (book.status('node', 'container').ready !== ready) return;
        end();
        resolve();
      };
      const end = book.onChange(look);
      look();
    });

  it('makes an image with the next source when the first one fails, and sees that it was removed', async () => {
    const broken: ImageSource = {
      name: 'registry',
      idOf: async () => null,
      make: () => Promise.reject(new ImageError('No registry answers')),
    };
    const made: ImageMade[] = [];
    const sources = [broken, new PackagesSource(engine, cache)];
    const onMade = (event: ImageMade) => made.push(event);
    const bookFiles = { ...files, runner: { bytes: bytesOf('//'), sha256: sha256Hex(`${Math.random()}`) } };
    const book = new ImageBook({
      engine,
      sources,
      rows: [rowOf('node')],
      files: bookFiles,
      made: madeInMemory(),
      log: silentLog,
      onMade,
    });
    wishes.push(imageWish(rowOf('node'), 'sealed', bookFiles));
    await book.refresh();
    expect(book.status('node', 'container')).toMatchObject({ ready: false, coming: true });
    book.prepare('node', 'container');
    await until(book, true);
    const image = book.image('node', 'container');
    expect(made).toMatchObject([{ runtime: 'node', variant: 'sealed', source: 'packages', imageId: image?.id }]);
    await engine.send({ method: 'DELETE', path: `/images/${image?.id}`, query: { force: '1' } });
    await book.refresh();
    expect(book.status('node', 'container')).toMatchObject({ ready: false, coming: true });
    await book.stop();
  });

  it('H145 takes an image of another one by its content, never by its labels', async () => {
    const wish = wishOf('node');
    const labels = Object.entries(imageLabels(wish)).map(([name, value]) => `LABEL ${name}=${value}`);
    const right = await make(wish);
    await removeImage(wish);
    const forged = await withContainer(await make(wishOf('python')), ['/none'], async (container) => {
      const query = { container, repo: 'oauth3/sandbox-node', tag: imageTag(wish).split(':')[1] ?? '' };
      const changes = labels.join('\n');
      return engine.json({ method: 'POST', path: '/commit', query: { ...query, changes }, json: {} }, idSchema);
    });
    expect(await imageIds(wish)).toEqual([forged.Id]);
    const book = new ImageBook({
      engine,
      sources: [new PackagesSource(engine, cache)],
      rows: [rowOf('node')],
      files,
      made: madeInMemory(),
      log: silentLog,
      onMade: () => {},
    });
    await book.refresh();
    expect(book.status('node', 'container')).toMatchObject({ ready: false, coming: true });
    await engine.send({ method: 'DELETE', path: `/images/${forged.Id}`, query: { force: '1', noprune: '1' } });
    // Now as somebody else makes it: the same packages, so the same id.
    expect(await make(wish)).toBe(right);
    await book.refresh();
    expect(book.image('node', 'container')?.id).toBe(right);
    await book.stop();
  });
});

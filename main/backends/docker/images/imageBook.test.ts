import { beforeEach, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { sha256Hex } from '../../../core/digest.ts';
import { silentLog } from '../../../core/log.ts';
import { type EngineCall, EngineError } from '../engineApi.ts';
import { runtimeTable } from '../runtimeTable.ts';
import { madeInMemory } from '../testing.ts';
import { ImageBook, type ImageMade } from './imageBook.ts';
import type { ImageFacts } from './imageCheck.ts';
import { imageLabels } from './imageLabels.ts';
import type { MadeImages } from './madeImages.ts';
import { ImageError, type ImageProgress, type ImageSource, type ImageWish } from './ports.ts';

/** An engine that has images and nothing else. */
class FakeEngine {
  readonly images = new Map<string, ImageFacts>();
  answers = true;
  readonly paths: string[] = [];

  async json<Schema extends z.ZodType>(call: EngineCall, schema: Schema): Promise<z.infer<Schema>> {
    if (!this.answers) throw new EngineError(0, 'The container engine does not answer');
    this.paths.push(call.path);
    return schema.parse(this.#answer(call.path));
  }

  add(wish: ImageWish, config: Partial<ImageFacts['Config']> = {}): string {
    const id = `sha256:${sha256Hex(`${this.images.size}`)}`;
    const Config = { Labels: imageLabels(wish), ...config };
    this.images.set(id, { Id: id, Architecture: 'amd64', Os: 'linux', Config });
    return id;
  }

  async send({ method, path }: EngineCall): Promise<void> {
    if (method === 'DELETE') this.images.delete(path.split('/')[2] ?? '');
  }

  #answer(path: string): unknown {
    if (path === '/version') return { Os: 'linux', Arch: 'amd64' };
    if (path === '/images/json')
      return [...this.images.values()].map(({ Id, Config }) => ({ Id, Labels: Config.Labels }));
    const image = this.images.get(path.split('/')[2] ?? '');
    if (image === undefined) throw new EngineError(404, 'no such image');
    return image;
  }
}

/** A source whose images are finished when the test says so. */
class FakeSource implements ImageSource {
  readonly name: ImageSource['name'];
  /** Recipe -> id that it would give. */
  readonly known = new Map<string, string>();
  readonly wishes: ImageWish[] = [];
  report: (progress: ImageProgress) => void = () => {};
  #end: Readonly<{ resolve: (id: string) => void; reject: (error: Error) => void }> | null = null;
  #seen = 0;
  #wake: () => void = () => {};

  constructor(name: ImageSource['name']) {
    this.name = name;
  }

  async idOf({ recipe }: ImageWish): Promise<string | null> {
    return this.known.get(recipe) ?? null;
  }

  make(wish: ImageWish, report: (progress: ImageProgress) => void, signal: AbortSignal): Promise<string> {
    this.wishes.push(wish);
    this.report = report;
    return new Promise((resolve, reject) => {
      this.#end = { resolve, reject };
      signal.addEventListener('abort', () => reject(signal.reason));
      this.#wake();
    });
  }

  finish(id: string): void {
    this.#end?.resolve(id);
  }

  fail(error: Error): void {
    this.#end?.reject(error);
  }

  /** Resolves with the next wish, once it is being made. */
  async begun(): Promise<ImageWish> {
    for (;;) {
      const wish = this.wishes[this.#seen];
      if (wish !== undefined) {
        this.#seen += 1;
        return wish;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

let engine: FakeEngine;
let registry: FakeSource;
let packages: FakeSource;
let book: ImageBook;
let memory: MadeImages;
let told: ImageMade[];
let logged: unknown[];
let clock = 0;

beforeEach(() => {
  engine = new FakeEngine();
  registry = new FakeSource('registry');
  packages = new FakeSource('packages');
  told = [];
  logged = [];
  clock = 1_000;
  memory = madeInMemory();
  book = newBook(memory);
});

/** As of another start, or of another installation at the same engine. */
const newBook = (made: MadeImages): ImageBook =>
  new ImageBook({
    engine,
    sources: [registry, packages],
    rows: runtimeTable.filter(({ runtime }) => runtime !== 'quickjs'),
    files: {
      runner: { bytes: new Uint8Array(1), sha256: sha256Hex('runner') },
      own: { 'node-proxy.cjs': new Uint8Array(1) },
    },
    made,
    log: { ...silentLog, error: (fields) => logged.push(fields) },
    onMade: (event) => told.push(event),
    now: () => clock,
  });

/** Resolves when the status of the Deno image is as wanted; announcements are the only thing that it waits for. */
const until = (wanted: (status: ReturnType<ImageBook['status']>) => boolean): Promise<void> =>
  new Promise((resolve) => {
    const end = book.onChange(() => look());
    const look = () => {
      if (!wanted(book.status('deno', 'container'))) return;
      end();
      resolve();
    };
    look();
  });
const ready = () => until((status) => status.ready);
const failed = () => until((status) => !status.ready && !status.coming);
const status = () => book.status('deno', 'container');

describe('an image that is not there', () => {
  it('is coming, and is made when somebody asks for it', async () => {
    await book.refresh();
    expect(status()).toEqual({
      ready: false,
      coming: true,
      reason: 'The Deno image is not made yet; it is made when it is first needed',
    });
    expect(book.image('deno', 'container')).toBeNull();
    book.prepare('deno', 'container');
    const wish = await registry.begun();
    expect(wish).toMatchObject({ variant: 'sealed', row: { runtime: 'deno' } });
    const id = engine.add(wish);
    registry.finish(id);
    await ready();
    const recipe = book.recipe('deno', 'container');
    expect(recipe).toBe(`recipe:${wish.recipe}`);
    expect(book.image('deno', 'container')).toEqual({ id, recipe });
    expect(book.image('deno', 'kata')).toEqual({ id, recipe });
    expect(book.image('deno', 'gvisor')).toBeNull();
    expect(told).toEqual([
      { runtime: 'deno', variant: 'sealed', recipe: wish.recipe, imageId: id, source: 'registry' },
    ]);
  });

  it('is made only once however often it is asked for', async () => {
    for (let times = 0; times < 5; times += 1) book.prepare('deno', 'container');
    registry.finish(engine.add(await registry.begun()));
    await ready();
    book.prepare('deno', 'container');
    await book.stop();
    expect(registry.wishes).toHaveLength(1);
  });

  it('is made after the one that is being made', async () => {
    book.prepare('node', 'container');
    book.prepare('deno', 'container');
    const first = await registry.begun();
    expect(status()).toMatchObject({
      coming: true,
      reason: 'The Deno image is made as soon as another one is finished',
    });
    expect(registry.wishes).toHaveLength(1);
    registry.finish(engine.add(first));
    expect((await registry.begun()).row.runtime).toBe('deno');
    await book.stop();
  });

  it('is not made when somebody else made it meanwhile', async () => {
    book.prepare('node', 'container');
    book.prepare('deno', 'container');
    const first = await registry.begun();
    const recipe = book.recipe('deno', 'container').slice('recipe:'.length);
    const id = engine.add({ ...first, row: { ...first.row, runtime: 'deno' }, recipe });
    packages.known.set(recipe, id);
    registry.finish(engine.add(first));
    await ready();
    expect(book.image('deno', 'container')?.id).toBe(id);
    expect(registry.wishes).toHaveLength(1);
  });
});

describe('the way of an image', () => {
  it('is told with its step and percentage, but not more often than a person reads', async () => {
    book.prepare('deno', 'container');
    await registry.begun();
    const said: string[] = [];
    book.onChange(() => {
      const now = status();
      if (!now.ready) said.push(now.reason);
    });
    const tell = (step: string, done: number | null) => registry.report({ step, done });
    tell('fetching node (2 of 5)', null);
    tell('loading it (5 of 5)', 0);
    for (let done = 1; done <= 100; done += 1) {
      clock += 10;
      tell('loading it (5 of 5)', done / 100);
    }
    expect(said.slice(0, 2)).toEqual([
      'The Deno image is being made: fetching node (2 of 5)',
      'The Deno image is being made: loading it (5 of 5) 0 %',
    ]);
    expect(said.slice(2)).toEqual(
      [30, 60, 90].map((done) => `The Deno image is being made: loading it (5 of 5) ${done} %`),
    );
    await book.stop();
  });

  it('goes on with the next source when one fails', async () => {
    book.prepare('deno', 'container');
    await registry.begun();
    registry.fail(new ImageError('No registry answers'));
    packages.finish(engine.add(await packages.begun()));
    await ready();
    expect(told).toMatchObject([{ source: 'packages' }]);
  });

  it('ends with the reasons of all sources, and is tried again a minute later at the earliest', async () => {
    book.prepare('deno', 'container');
    await registry.begun();
    registry.fail(new ImageError('No registry answers.'));
    await packages.begun();
    packages.fail(new ImageError('apt-get is not on this machine'));
    await failed();
    const reason = 'The Deno image could not be made: No registry answers. apt-get is not on this machine';
    expect(status()).toEqual({ ready: false, coming: false, reason });
    clock += 59_000;
    book.prepare('deno', 'container');
    expect(status()).toMatchObject({ coming: false });
    clock += 1_000;
    book.prepare('deno', 'container');
    expect(status()).toMatchObject({ coming: true });
    registry.finish(engine.add(await registry.begun()));
    await ready();
  });

  it('ends with what nobody expected in the log', async () => {
    book.prepare('deno', 'container');
    await registry.begun();
    registry.fail(new SyntaxError('odd'));
    await failed();
    expect(status()).toMatchObject({
      reason: 'The Deno image could not be made: something unexpected happened; the log has it',
    });
    expect(logged).toEqual([
      { runtime: 'deno', variant: 'sealed', error: expect.stringContaining('SyntaxError: odd') },
    ]);
  });

  it('goes on with the next source when what was made is not what was wished for, and removes that', async () => {
    book.prepare('deno', 'container');
    const wish = await registry.begun();
    const wrong = engine.add(wish, { Volumes: { '/data': {} } });
    registry.finish(wrong);
    await packages.begun();
    packages.fail(new ImageError('apt-get is not on this machine'));
    await failed();
    expect(status()).toMatchObject({
      reason: expect.stringContaining('What was made from public images was removed: it brings a VOLUME. apt-get'),
    });
    expect(told).toEqual([]);
    expect([...engine.images.keys()]).not.toContain(wrong);
  });

  it('is left when the book is closed', async () => {
    book.prepare('deno', 'container');
    book.prepare('node', 'container');
    await registry.begun();
    await book.stop();
    expect(registry.wishes).toHaveLength(1);
    expect(packages.wishes).toHaveLength(0);
    book.prepare('deno', 'container');
    expect(registry.wishes).toHaveLength(1);
  });
});

describe('what the engine has', () => {
  const makeDeno = async (): Promise<string> => {
    book.prepare('deno', 'container');
    const id = engine.add(await registry.begun());
    registry.finish(id);
    await ready();
    return id;
  };

  it('is read again: a removed image is absent, and comes back', async () => {
    const id = await makeDeno();
    const facts = engine.images.get(id);
    engine.images.clear();
    await book.refresh();
    expect(book.image('deno', 'container')).toBeNull();
    expect(status()).toMatchObject({ coming: true });
    if (facts !== undefined) engine.images.set(id, facts);
    await book.refresh();
    expect(book.image('deno', 'container')?.id).toBe(id);
  });

  it('is read with one question for the engine itself, however many images there are', async () => {
    const first = await makeDeno();
    book.prepare('node', 'container');
    registry.finish(engine.add(await registry.begun()));
    await book.stop();
    const next = newBook(memory);
    engine.paths.length = 0;
    await next.refresh();
    expect(next.image('deno', 'container')?.id).toBe(first);
    expect(next.image('node', 'container')).not.toBeNull();
    expect(engine.paths.filter((path) => path === '/version')).toHaveLength(1);
    await next.stop();
  });

  it('is known again at the next start', async () => {
    const id = await makeDeno();
    const next = newBook(memory);
    await next.refresh();
    expect(next.image('deno', 'container')?.id).toBe(id);
    await next.stop();
  });

  it('H145 does not count by its labels: it is made here, whatever stands beside it', async () => {
    const id = await makeDeno();
    const [wish] = registry.wishes;
    if (wish === undefined) throw new Error('no wish');
    const forged = engine.add(wish);
    await book.refresh();
    expect(book.image('deno', 'container')?.id).toBe(id);
    const stranger = newBook(madeInMemory());
    await stranger.refresh();
    expect(stranger.status('deno', 'container')).toEqual({
      ready: false,
      coming: true,
      reason: 'The Deno image is not made yet; it is made when it is first needed',
    });
    stranger.prepare('deno', 'container');
    await registry.begun();
    const own = engine.add(wish);
    registry.finish(own);
    await stranger.stop();
    expect([forged, own]).not.toContain(id);
    expect(stranger.image('deno', 'container')?.id).toBe(own);
  });

  it('H145 counts when its id is the one that a source would give it, and no other one does', async () => {
    const id = await makeDeno();
    const [wish] = registry.wishes;
    if (wish === undefined) throw new Error('no wish');
    engine.add(wish);
    packages.known.set(wish.recipe, id);
    const stranger = newBook(madeInMemory());
    await stranger.refresh();
    expect(stranger.image('deno', 'container')?.id).toBe(id);
    engine.images.delete(id);
    await stranger.refresh();
    expect(stranger.image('deno', 'container')).toBeNull();
    await stranger.stop();
  });

  it('stays as it was known while the engine does not answer', async () => {
    const id = await makeDeno();
    engine.answers = false;
    await expect(book.refresh()).rejects.toThrow(EngineError);
    expect(book.image('deno', 'container')?.id).toBe(id);
  });

  it('H146 does not count when it brings something along', async () => {
    const id = await makeDeno();
    const facts = engine.images.get(id);
    if (facts !== undefined) facts.Config.Env = ['LD_PRELOAD=/tmp/x.so'];
    await book.refresh();
    expect(book.image('deno', 'container')).toBeNull();
  });

  it('is asked again once it answers, without the wait after a failure', async () => {
    engine.answers = false;
    book.prepare('deno', 'container');
    await failed();
    expect(status()).toMatchObject({
      reason: 'The Deno image could not be made: The container engine does not answer',
    });
    engine.answers = true;
    await book.refresh();
    expect(status()).toMatchObject({ coming: true });
  });
});

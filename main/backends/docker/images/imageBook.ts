import { performance } from 'node:perf_hooks';
import type { Runtime } from '../../../../contract/runtime.ts';
import type { Log } from '../../../core/log.ts';
import type { BackendStatus } from '../../../runs/backend.ts';
import { type EngineApi, EngineError } from '../engineApi.ts';
import type { ContainerIsolation, SandboxImage, SandboxImages } from '../ports.ts';
import type { RuntimeRow } from '../runtimeTable.ts';
import { type ImageState, imageStatus } from './imageState.ts';
import type { MadeImages } from './madeImages.ts';
import { makeImage } from './makeImage.ts';
import { ImageError, type ImageProgress, type ImageSource, type ImageVariant, type ImageWish } from './ports.ts';
import { PresentImages } from './presentImages.ts';
import { type ImageFiles, imageWish } from './recipe.ts';

/** An image was made on the engine: what the audit keeps of it. */
export type ImageMade = Readonly<{
  runtime: Runtime;
  variant: ImageVariant;
  recipe: string;
  imageId: string;
  source: ImageSource['name'];
}>;

export type ImageBookParts = Readonly<{
  engine: Pick<EngineApi, 'json' | 'send'>;
  /** In the order in which they are tried. */
  sources: readonly ImageSource[];
  rows: readonly RuntimeRow[];
  files: ImageFiles;
  made: MadeImages;
  log: Log;
  onMade: (made: ImageMade) => void;
  /** Monotonic, ms. */
  now?: () => number;
}>;

type Page = { readonly wish: ImageWish; state: ImageState };

const retryAfterMs = 60_000;
const announceEveryMs = 300;

const variantOf: Readonly<Record<ContainerIsolation, ImageVariant>> = {
  container: 'sealed',
  kata: 'sealed',
  gvisor: 'readable',
};

/** Knows which of the wished images the engine has, and makes the others when they are asked for, one at a time. */
export class ImageBook implements SandboxImages {
  readonly runtimes: readonly Runtime[];
  readonly #parts: ImageBookParts;
  readonly #pages: readonly Page[];
  readonly #present: PresentImages;
  readonly #listeners = new Set<() => void>();
  readonly #stopping = new AbortController();
  readonly #now: () => number;
  #queue: Promise<void> = Promise.resolve();
  #reading: Promise<void> | null = null;
  #announcedAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: ImageBookParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
    this.#present = new PresentImages(parts);
    this.runtimes = parts.rows.map(({ runtime }) => runtime);
    this.#pages = parts.rows.flatMap((row) =>
      (['sealed', 'readable'] as const).map(
        (variant): Page => ({
          wish: imageWish(row, variant, parts.files),
          state: { kind: 'absent' },
        }),
      ),
    );
  }

  status(runtime: Runtime, isolation: ContainerIsolation): BackendStatus {
    const page = this.#page(runtime, isolation);
    if (page === null) return { ready: false, coming: false, reason: `There is no image for ${runtime}` };
    return imageStatus(runtime, page.state);
  }

  image(runtime: Runtime, isolation: ContainerIsolation): SandboxImage | null {
    const page = this.#page(runtime, isolation);
    if (page?.state.kind !== 'ready') return null;
    return { id: page.state.id, recipe: `recipe:${page.wish.recipe}` };
  }

  recipe(runtime: Runtime, isolation: ContainerIsolation): string {
    return `recipe:${this.#page(runtime, isolation)?.wish.recipe ?? 'none'}`;
  }

  prepare(runtime: Runtime, isolation: ContainerIsolation): void {
    const page = this.#page(runtime, isolation);
    if (page === null || this.#stopping.signal.aborted) return;
    const { state } = page;
    const again = state.kind === 'failed' && this.#now() - state.atMs >= retryAfterMs;
    if (state.kind !== 'absent' && !again) return;
    this.#set(page, { kind: 'waiting' });
    this.#queue = this.#queue.then(() => this.#make(page));
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Reads again which images the engine has: one may have been removed, or made by somebody else. Throws EngineError;
   * what was known then stays.
   */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  /** Breaks off what is being made and waits for that. */
  async stop(): Promise<void> {
    this.#stopping.abort(new ImageError('It was stopped'));
    await this.#queue;
    await this.#reading?.catch(() => {});
    this.#listeners.clear();
  }

  #page(runtime: Runtime, isolation: ContainerIsolation): Page | null {
    const variant = variantOf[isolation];
    return this.#pages.find(({ wish }) => wish.row.runtime === runtime && wish.variant === variant) ?? null;
  }

  async #read(): Promise<void> {
    const found = await this.#present.find(this.#pages.map(({ wish }) => wish));
    for (const page of this.#pages) {
      const id = found.get(page.wish);
      // What is waiting or being made looks for itself when its turn comes.
      if (page.state.kind === 'making' || page.state.kind === 'waiting') continue;
      if (id !== undefined) this.#set(page, { kind: 'ready', id });
      else if (page.state.kind === 'ready' || isEngineGone(page.state)) this.#set(page, { kind: 'absent' });
    }
  }

  async #make(page: Page): Promise<void> {
    const { wish } = page;
    const { runtime } = wish.row;
    const { engine, log, onMade, sources } = this.#parts;
    const { signal } = this.#stopping;
    if (signal.aborted) return;
    this.#set(page, { kind: 'making', progress: null });
    try {
      const present = (await this.#present.find([wish])).get(wish);
      if (present !== undefined) {
        this.#set(page, { kind: 'ready', id: present });
        return;
      }
      log.info({ runtime, variant: wish.variant, recipe: wish.recipe }, 'Making an image');
      const made = await makeImage(engine, sources, wish, (progress) => this.#report(page, progress), signal);
      log.info({ runtime, variant: wish.variant, image: made.id, source: made.source }, 'Made an image');
      this.#parts.made.remember(wish.recipe, made.id);
      onMade({ runtime, variant: wish.variant, recipe: wish.recipe, imageId: made.id, source: made.source });
      this.#set(page, { kind: 'ready', id: made.id });
    } catch (error) {
      if (signal.aborted) {
        this.#set(page, { kind: 'absent' });
        return;
      }
      const isKnown = error instanceof ImageError || error instanceof EngineError;
      const reason = isKnown ? error.message : 'something unexpected happened; the log has it';
      const why = error instanceof Error ? (isKnown ? error.message : (error.stack ?? error.message)) : 'unknown';
      log.error({ runtime, variant: wish.variant, error: why }, 'An image could not be made');
      const engineGone = error instanceof EngineError && error.status === 0;
      this.#set(page, { kind: 'failed', reason, atMs: this.#now(), engineGone });
    }
  }

  #report(page: Page, progress: ImageProgress): void {
    if (page.state.kind !== 'making') return;
    const isNewStep = page.state.progress?.step !== progress.step;
    page.state = { kind: 'making', progress };
    if (isNewStep || this.#now() - this.#announcedAtMs >= announceEveryMs) this.#announce();
  }

  #set(page: Page, state: ImageState): void {
    const same = page.state.kind === 'ready' && state.kind === 'ready' && page.state.id === state.id;
    page.state = state;
    if (!same) this.#announce();
  }

  #announce(): void {
    this.#announcedAtMs = this.#now();
    for (const listener of [...this.#listeners]) listener();
  }
}

const isEngineGone = (state: ImageState): boolean => state.kind === 'failed' && state.engineGone;

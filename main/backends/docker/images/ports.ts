import type { RuntimeRow } from '../runtimeTable.ts';
import type { EnginePlatform } from './enginePlatform.ts';

/**
 * gVisor cannot load a program that it may not read, and runc needs one that the code may not read: with it PID 1 is not
 * dumpable, so the code cannot get at its memory and streams. Hence two images a runtime.
 */
export type ImageVariant = 'sealed' | 'readable';

/** Everything that one image is made from. */
export type ImageWish = Readonly<{
  row: RuntimeRow;
  variant: ImageVariant;
  /** The runner as one file, and its SHA-256 (hex). */
  runner: Readonly<{ bytes: Uint8Array; sha256: string }>;
  /** The row's own files: absolute path in the image -> bytes. */
  own: Readonly<Record<string, Uint8Array>>;
  /** SHA-256 (hex) over all of this; also the image's label `oauth3.recipe`. */
  recipe: string;
}>;

/** How far the making of an image is. `done`: 0 to 1, null when unknown. */
export type ImageProgress = Readonly<{ step: string; done: number | null }>;

/** A way to make images. */
export interface ImageSource {
  readonly name: 'registry' | 'packages';
  /**
   * Id of the image that `make` would give, where that is known without making it; null otherwise. An image that the
   * engine has under this id is the wished one, whoever put it there.
   */
  idOf(wish: ImageWish, platform: EnginePlatform): Promise<string | null>;
  /** Resolves with the id of the image that the engine now has. Throws ImageError, or EngineError. */
  make(wish: ImageWish, report: (progress: ImageProgress) => void, signal: AbortSignal): Promise<string>;
}

/** An image could not be made; `message` tells the owner what to do. */
export class ImageError extends Error {
  readonly code = 'image';
}

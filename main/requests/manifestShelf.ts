import type { Manifest } from '../core/manifestTypes.ts';
import type { Records } from '../core/records.ts';

const maxKept = 64;

/**
 * Manifests to show, by digest. A digest stands for one content for ever, so what was read or made once need not be
 * read again. Whoever decides or runs reads the store itself and hashes what it finds.
 */
export class ManifestShelf {
  readonly #records: Pick<Records, 'manifest'>;
  readonly #kept = new Map<string, Manifest>();

  constructor(records: Pick<Records, 'manifest'>) {
    this.#records = records;
  }

  keep(digest: string, manifest: Manifest): void {
    this.#kept.set(digest, manifest);
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > maxKept && oldest.done !== true) this.#kept.delete(oldest.value);
  }

  get(digest: string): Manifest | null {
    const kept = this.#kept.get(digest);
    if (kept !== undefined) return kept;
    const manifest = this.#records.manifest(digest);
    if (manifest !== null) this.keep(digest, manifest);
    return manifest;
  }
}

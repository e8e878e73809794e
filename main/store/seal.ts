import { createHmac } from 'node:crypto';
import { sameText } from '../core/sameText.ts';

/** HMAC-SHA-256 with a key of the vault, held while the vault is unlocked. */
export class Seal {
  #key: Buffer | null = null;

  /** Copies the key; the former one is overwritten. */
  use(key: Uint8Array | null): void {
    this.#key?.fill(0);
    this.#key = key === null ? null : Buffer.from(key);
  }

  get ready(): boolean {
    return this.#key !== null;
  }

  /** Null while there is no key. */
  make(label: string, fields: readonly (string | number | null)[]): string | null {
    if (this.#key === null) {
      return null;
    }
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([label, ...fields]))
      .digest('base64url');
  }

  /** False for a wrong mac, for none, and while there is no key. */
  matches(mac: string | null, label: string, fields: readonly (string | number | null)[]): boolean {
    const expected = this.make(label, fields);
    return expected !== null && mac !== null && sameText(expected, mac);
  }
}

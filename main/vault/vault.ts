import { CodedError } from '../../contract/errors.ts';
import type { VaultState } from '../../contract/states.ts';
import type { Log } from '../core/log.ts';
import { deriveKey, newDataKey } from './dataKey.ts';
import type { KeyProtector } from './keyProtector.ts';
import { passphraseName, passphraseProtector } from './passphraseProtector.ts';
import { makeSlot, openSlots } from './slotKeys.ts';
import type { Slot, SlotStore } from './slotStore.ts';
import { decryptValue, encryptValue } from './valueCipher.ts';

export const minPassphraseLength = 8;

export type VaultOptions = Readonly<{
  slots: SlotStore;
  /** Keyrings, in order of preference. */
  protectors: readonly KeyProtector[];
  log: Log;
  /** Makes the passphrase protector; tests take a cheap one. */
  passphrase?: (passphrase: string) => KeyProtector;
}>;

/**
 * The encrypted store's key. Values go through `encrypt` and `decrypt`; the data key itself never leaves. A wrong or
 * missing key means `locked`, with the reason in words: nothing is made anew, nothing is lost.
 */
export class Vault {
  readonly #slots: SlotStore;
  readonly #protectors: readonly KeyProtector[];
  readonly #log: Log;
  readonly #passphrase: (passphrase: string) => KeyProtector;
  readonly #listeners = new Set<(state: VaultState) => void>();
  #state: VaultState = 'locked';
  #reason: string | null = 'The vault was not opened yet.';
  #keys: Readonly<{ data: Buffer; values: Buffer }> | null = null;
  /** Counts `lock` calls: work that began before one must not unlock after it. */
  #locks = 0;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: VaultOptions) {
    this.#slots = options.slots;
    this.#protectors = options.protectors;
    this.#log = options.log;
    this.#passphrase = options.passphrase ?? passphraseProtector;
  }

  state(): VaultState {
    return this.#state;
  }

  /** Why it is not unlocked, in words for the owner. */
  lockReason(): string | null {
    return this.#reason;
  }

  /** Names of the protectors that can open it. */
  slots(): readonly string[] {
    return this.#slots.slots().map(({ protector }) => protector);
  }

  /** Tells of each new state; the key is usable when `unlocked` is announced. Returns how to stop listening. */
  onChange(listener: (state: VaultState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * At start: opens an existing vault with the keyring or else with the passphrase of the file; makes a new one with
   * the first trustworthy keyring, and with the passphrase when there is one.
   */
  open(passphraseFromFile?: string): Promise<VaultState> {
    const locks = this.#locks;
    return this.#one(async () => {
      if (this.#state === 'unlocked') {
        return this.#state;
      }
      if (this.#isNew()) {
        return this.#create(this.#protectors, passphraseFromFile, locks);
      }
      const fromFile = passphraseFromFile === undefined ? [] : [this.#passphrase(passphraseFromFile)];
      return this.#unlock(this.#slots.slots(), [...this.#protectors, ...fromFile], locks);
    });
  }

  /**
   * Makes a new vault with this passphrase (at least 8 characters, else CodedError `invalid_request`), or unlocks a
   * locked one (CodedError `wrong_passphrase`). A vault without a passphrase opens with its keyring, as it would at
   * the next start.
   */
  unlock(passphrase: string): Promise<VaultState> {
    const locks = this.#locks;
    return this.#one(async () => {
      if (this.#state === 'unlocked') {
        return this.#state;
      }
      if (this.#isNew()) {
        requireLength(passphrase);
        return this.#create([], passphrase, locks);
      }
      const all = this.#slots.slots();
      const own = all.filter(({ protector }) => protector === passphraseName);
      const state =
        own.length > 0
          ? await this.#unlock(own, [this.#passphrase(passphrase)], locks)
          : await this.#unlock(all, this.#protectors, locks);
      if (locks !== this.#locks) {
        throw new CodedError('vault_locked', 'The vault was locked while it was opening.', {
          hint: 'Unlock it again.',
        });
      }
      if (state !== 'unlocked') {
        throw new CodedError('wrong_passphrase', this.#reason ?? 'The vault stays locked.', {
          hint: 'Try again with the passphrase of this vault, or restart OAuth3 where its keyring is.',
        });
      }
      return state;
    });
  }

  /** Adds or replaces the passphrase slot of an unlocked vault. CodedError `vault_locked`, `invalid_request`. */
  setPassphrase(passphrase: string): Promise<void> {
    return this.#one(async () => {
      requireLength(passphrase);
      // A copy: locking meanwhile overwrites the key, and a slot must never hold what is left of it.
      const data = Buffer.from(this.#unlockedKeys().data);
      try {
        this.#slots.addSlot(await makeSlot(this.#passphrase(passphrase), data));
      } finally {
        data.fill(0);
      }
    });
  }

  /** Forgets the key. Values cannot be read until the next `unlock`. */
  lock(): void {
    this.#locks += 1;
    this.#forget();
    if (this.#state === 'unlocked' || this.#state === 'unlocking') {
      this.#become('locked', 'The vault was locked.');
    }
  }

  encrypt(id: string, name: string, version: number, value: string): Uint8Array {
    return encryptValue(this.#unlockedKeys().values, { id, name, version }, value);
  }

  decrypt(secret: Readonly<{ id: string; name: string; version: number; bytes: Uint8Array }>): string {
    const { values } = this.#unlockedKeys();
    try {
      return decryptValue(values, secret, secret.bytes);
    } catch {
      throw new CodedError('storage_unavailable', `The stored value of ${secret.name} cannot be decrypted.`, {
        hint: 'It was changed on disk or belongs to another vault. Restore a backup, or enter the value again.',
      });
    }
  }

  /** A key of 32 bytes for one purpose, for example seals on rows. CodedError `vault_locked`. */
  deriveKey(label: string): Uint8Array {
    return deriveKey(this.#unlockedKeys().data, `derived/${label}`);
  }

  #isNew(): boolean {
    return this.#slots.slots().length === 0 && !this.#slots.holdsSecrets();
  }

  async #create(
    protectors: readonly KeyProtector[],
    passphrase: string | undefined,
    locks: number,
  ): Promise<VaultState> {
    this.#become('unlocking', null);
    const data = newDataKey();
    const reasons: string[] = [];
    try {
      let made = 0;
      for (const protector of protectors) {
        if (made === 0) {
          made += (await this.#tryKeyringSlot(protector, data, reasons)) ? 1 : 0;
        }
      }
      if (passphrase !== undefined && longEnough(passphrase)) {
        this.#slots.addSlot(await makeSlot(this.#passphrase(passphrase), data));
        made += 1;
      } else if (passphrase !== undefined) {
        reasons.push(`The passphrase is shorter than ${minPassphraseLength} characters.`);
      }
      if (made > 0) {
        return this.#adopt(data, locks);
      }
    } catch (error) {
      data.fill(0);
      this.#become('locked', `The vault could not be made: ${String(error)}`);
      throw error;
    }
    data.fill(0);
    return this.#become('uninitialized', ['The vault needs a passphrase.', ...reasons].join(' '));
  }

  async #tryKeyringSlot(protector: KeyProtector, data: Buffer, reasons: string[]): Promise<boolean> {
    const availability = await protector.availability();
    if (!availability.available) {
      reasons.push(availability.reason);
      return false;
    }
    try {
      this.#slots.addSlot(await makeSlot(protector, data));
      return true;
    } catch (error) {
      if (error instanceof CodedError) {
        throw error;
      }
      this.#log.warn({ protector: protector.name, reason: String(error) }, 'The keyring took no key');
      reasons.push('The keyring took no key.');
      return false;
    }
  }

  async #unlock(slots: readonly Slot[], protectors: readonly KeyProtector[], locks: number): Promise<VaultState> {
    this.#become('unlocking', null);
    const opened = await openSlots(slots, protectors);
    if (opened.dataKey !== null) {
      return this.#adopt(opened.dataKey, locks);
    }
    const reasons =
      slots.length > 0
        ? opened.reasons
        : ['There are secrets, but the key slots of their vault are gone. Restore a backup of the data folder.'];
    this.#log.warn({ reasons }, 'The vault stays locked');
    return this.#become('locked', reasons.join(' '));
  }

  #adopt(data: Buffer, locks: number): VaultState {
    if (locks !== this.#locks) {
      data.fill(0);
      return this.#become('locked', 'The vault was locked.');
    }
    this.#keys = { data, values: deriveKey(data, 'values') };
    return this.#become('unlocked', null);
  }

  #unlockedKeys(): Readonly<{ data: Buffer; values: Buffer }> {
    if (this.#keys === null) {
      throw new CodedError('vault_locked', 'The vault is not unlocked.', {
        hint: 'The owner unlocks it in the window or with `oauth3 unlock`.',
      });
    }
    return this.#keys;
  }

  #forget(): void {
    this.#keys?.data.fill(0);
    this.#keys?.values.fill(0);
    this.#keys = null;
  }

  #become(state: VaultState, reason: string | null): VaultState {
    this.#reason = reason;
    if (state !== this.#state) {
      this.#state = state;
      for (const listener of this.#listeners) {
        try {
          listener(state);
        } catch (error) {
          this.#log.error({ state, reason: String(error) }, 'A listener to the vault failed');
        }
      }
    }
    return state;
  }

  /** One change at a time: two unlocks at once would race for the key. */
  #one<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

function longEnough(passphrase: string): boolean {
  return [...passphrase].length >= minPassphraseLength;
}

function requireLength(passphrase: string): void {
  if (!longEnough(passphrase)) {
    throw new CodedError('invalid_request', `A passphrase has at least ${minPassphraseLength} characters.`);
  }
}

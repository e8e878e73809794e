import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { type KeyProtector, KeyUnwrapError } from './keyProtector.ts';
import type { Slot, SlotStore } from './slotStore.ts';

/** Slots in memory, for tests of the vault without a database. */
export function memorySlots(options: Readonly<{ holdsSecrets?: () => boolean }> = {}): SlotStore {
  let kept: readonly Slot[] = [];
  const without = (protector: string) => kept.filter((slot) => slot.protector !== protector);
  return {
    slots: () => kept,
    addSlot(slot) {
      kept = [...without(slot.protector), slot];
    },
    removeSlot(protector) {
      kept = without(protector);
    },
    holdsSecrets: options.holdsSecrets ?? (() => false),
  };
}

/** A keyring in memory that can go away and come back, with its key kept or another one. */
export class FakeKeyring implements KeyProtector {
  readonly name: string;
  key = randomBytes(32);
  missing: string | null = null;

  constructor(name = 'keyring:fake') {
    this.name = name;
  }

  availability(): ReturnType<KeyProtector['availability']> {
    return Promise.resolve(this.missing === null ? { available: true } : { available: false, reason: this.missing });
  }

  wrap(dataKey: Uint8Array): Promise<Uint8Array> {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce);
    return Promise.resolve(Buffer.concat([nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]));
  }

  unwrap(wrapped: Uint8Array): Promise<Uint8Array> {
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.key, wrapped.subarray(0, 12), { authTagLength: 16 });
      decipher.setAuthTag(wrapped.subarray(-16));
      return Promise.resolve(Buffer.concat([decipher.update(wrapped.subarray(12, -16)), decipher.final()]));
    } catch (error) {
      return Promise.reject(new KeyUnwrapError(this.name, 'The keyring does not open its slot.', { cause: error }));
    }
  }
}

import { randomBytes } from 'node:crypto';
import { makeId } from '../core/ids.ts';
import { checkValue, isDataKey } from './dataKey.ts';
import type { KeyProtector } from './keyProtector.ts';
import { passphraseName } from './passphraseProtector.ts';
import type { Slot } from './slotStore.ts';

/** Wraps the key, and opens the slot again before it counts: a slot that does not open would lose every value. */
export async function makeSlot(protector: KeyProtector, dataKey: Buffer): Promise<Slot> {
  const check = checkValue(dataKey);
  const wrapped = await protector.wrap(dataKey);
  const back = Buffer.from(await protector.unwrap(wrapped));
  const good = isDataKey(back, check);
  back.fill(0);
  if (!good) {
    throw new Error(`${protector.name} does not give back what it was given.`);
  }
  return { id: makeId('slot', randomBytes), protector: protector.name, wrapped, params: { check } };
}

export type OpenedSlots = Readonly<{ dataKey: Buffer }> | Readonly<{ dataKey: null; reasons: readonly string[] }>;

/** The data key from the first slot that one of the protectors opens, or why none did, in words for the owner. */
export async function openSlots(slots: readonly Slot[], protectors: readonly KeyProtector[]): Promise<OpenedSlots> {
  const reasons: string[] = [];
  for (const slot of slots) {
    const protector = protectors.find(({ name }) => name === slot.protector);
    if (protector === undefined) {
      reasons.push(
        slot.protector === passphraseName ? 'The vault waits for its passphrase.' : `${slot.protector} is not here.`,
      );
      continue;
    }
    try {
      const dataKey = Buffer.from(await protector.unwrap(slot.wrapped));
      if (isDataKey(dataKey, slot.params.check)) {
        return { dataKey };
      }
      reasons.push(`${slot.protector} gave a key that is not the key of this vault.`);
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  for (const protector of protectors) {
    const availability = await protector.availability();
    if (!availability.available) {
      reasons.push(availability.reason);
    }
  }
  return { dataKey: null, reasons };
}

import type { StoreContext } from './context.ts';
import { slotRow } from './rows.ts';

/** One wrapped copy of the vault's data key. */
export type SlotRecord = Readonly<{
  id: string;
  /** Who can open it, for example `passphrase` or `keyring:gnome_libsecret`. */
  protector: string;
  wrapped: Uint8Array;
  params: Readonly<Record<string, string | number>>;
}>;

/** What the vault keeps in the database; the shape that the vault asks for. */
export type SlotRecords = Readonly<{
  slots(): readonly SlotRecord[];
  /** Takes the place of a slot of the same protector. */
  addSlot(slot: SlotRecord): void;
  removeSlot(protector: string): void;
  /** True when there is a value that only the former data key opens: then no new key may be made. */
  holdsSecrets(): boolean;
}>;

export function slotRecords({ db, audit }: StoreContext, now: () => number): SlotRecords {
  return {
    slots: () => db.all('SELECT * FROM vault_slots ORDER BY created_at, rowid').map(slotRow),
    addSlot: ({ id, protector, wrapped, params }) =>
      db.write(() => {
        db.run('DELETE FROM vault_slots WHERE protector = ?', [protector]);
        db.run('INSERT INTO vault_slots (id, protector, wrapped, params, created_at) VALUES (?, ?, ?, ?, ?)', [
          id,
          protector,
          wrapped,
          JSON.stringify(params),
          now(),
        ]);
        audit.append({ actor: 'broker', kind: 'vault.slot_added', payload: { protector } }, now());
      }),
    removeSlot: (protector) =>
      db.write(() => {
        if (db.run('DELETE FROM vault_slots WHERE protector = ?', [protector]) > 0) {
          audit.append({ actor: 'broker', kind: 'vault.slot_removed', payload: { protector } }, now());
        }
      }),
    holdsSecrets: () => db.get('SELECT 1 FROM secrets') !== undefined,
  };
}

/** One wrapped copy of the data key. */
export type Slot = Readonly<{
  id: string;
  /** Name of the protector that can open it, for example `passphrase` or `keyring:gnome_libsecret`. */
  protector: string;
  wrapped: Uint8Array;
  /** Facts about the slot that need no hiding; `check` tells a wrong key from the right one. */
  params: Readonly<Record<string, string | number>>;
}>;

/** Where the vault keeps its slots. Every call is durable when it returns; may throw CodedError `storage_unavailable`. */
export interface SlotStore {
  slots(): readonly Slot[];
  /** Takes the place of a slot of the same protector. */
  addSlot(slot: Slot): void;
  removeSlot(protector: string): void;
  /** True when there is a value that only the former data key opens: then no new key may be made. */
  holdsSecrets(): boolean;
}

/**
 * Wraps the vault's data key for one slot. Adapters: Electron safeStorage (OS keyring), passphrase (scrypt).
 * `unavailable` says why in words for the owner; a protector that cannot be trusted (`basic_text`) is unavailable.
 */
export interface KeyProtector {
  /** Names who made the slot, for example `keyring:gnome_libsecret`; stored with it. */
  readonly name: string;
  availability(): Promise<Readonly<{ available: true }> | Readonly<{ available: false; reason: string }>>;
  wrap(dataKey: Uint8Array): Promise<Uint8Array>;
  /** Rejects with `KeyUnwrapError` when the stored slot cannot be opened. */
  unwrap(wrapped: Uint8Array): Promise<Uint8Array>;
}

export class KeyUnwrapError extends Error {
  readonly protector: string;
  constructor(protector: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'KeyUnwrapError';
    this.protector = protector;
  }
}

import { safeStorage } from 'electron';
import type { KeyProtector } from './keyProtector.ts';
import { keyringProtector } from './keyringProtector.ts';

/** The keyring of this desktop. Call after the app's `ready`: before it, Linux does not know its backend. */
export function electronKeyring(): KeyProtector {
  return keyringProtector(safeStorage, process.platform);
}

import { randomBytes } from 'node:crypto';
import { type KeyProtector, KeyUnwrapError } from './keyProtector.ts';

/** What we use of Electron's safeStorage. The async calls exist from Electron 42 on. */
export interface SafeStorage {
  isEncryptionAvailable(): boolean;
  encryptString(plainText: string): Buffer;
  decryptString(encrypted: Buffer): string;
  isAsyncEncryptionAvailable?(): Promise<boolean>;
  encryptStringAsync?(plainText: string): Promise<Buffer>;
  decryptStringAsync?(encrypted: Buffer): Promise<Readonly<{ result: string }>>;
  getSelectedStorageBackend?(): string;
}

const probeBytes = 16;

/**
 * Wraps the data key with the keyring of the operating system. On Linux Chromium falls back to a key that is the same
 * on every machine: the backend `basic_text`, and ciphertext that starts with `v10`. Both are refused, before a slot is
 * made and when one is opened.
 */
export function keyringProtector(storage: SafeStorage, platform: NodeJS.Platform): KeyProtector {
  const name = () => `keyring:${backendOf(storage, platform)}`;
  const constantKey = (ciphertext: Buffer) =>
    platform === 'linux' && (!/^v\d\d$/.test(prefixOf(ciphertext)) || prefixOf(ciphertext) === 'v10');

  const encrypt = async (text: string): Promise<Buffer> => {
    const ciphertext = await (storage.encryptStringAsync?.(text) ?? storage.encryptString(text));
    if (constantKey(ciphertext)) {
      throw new Error('The keyring encrypts with a key that is the same on every machine.');
    }
    return ciphertext;
  };

  return {
    get name() {
      return name();
    },

    async availability() {
      try {
        const backend = backendOf(storage, platform);
        if (backend === 'basic_text' || backend === 'unknown') {
          return unavailable(
            `The desktop offers no keyring (${backend}); install and unlock one, or use a passphrase.`,
          );
        }
        const ready = await (storage.isAsyncEncryptionAvailable?.() ?? storage.isEncryptionAvailable());
        if (!ready) {
          return unavailable(`The keyring (${backend}) cannot be used now; unlock it, or use a passphrase.`);
        }
        await encrypt(randomBytes(probeBytes).toString('base64'));
        return { available: true };
      } catch (error) {
        return unavailable(error instanceof Error ? error.message : String(error));
      }
    },

    wrap: (dataKey) => encrypt(Buffer.from(dataKey).toString('base64')),

    async unwrap(wrapped) {
      const ciphertext = Buffer.from(wrapped);
      if (constantKey(ciphertext)) {
        throw new KeyUnwrapError(name(), 'The keyring slot was made with a key that is the same on every machine.');
      }
      try {
        const text = await (storage.decryptStringAsync?.(ciphertext).then(({ result }) => result) ??
          storage.decryptString(ciphertext));
        return Buffer.from(text, 'base64');
      } catch (error) {
        throw new KeyUnwrapError(name(), 'The keyring does not open its slot.', { cause: error });
      }
    },
  };
}

function backendOf(storage: SafeStorage, platform: NodeJS.Platform): string {
  switch (platform) {
    case 'darwin':
      return 'macos_keychain';
    case 'win32':
      return 'windows_dpapi';
    default:
      return storage.getSelectedStorageBackend?.() ?? 'unknown';
  }
}

function prefixOf(ciphertext: Buffer): string {
  return ciphertext.subarray(0, 3).toString('latin1');
}

function unavailable(reason: string): Readonly<{ available: false; reason: string }> {
  return { available: false, reason };
}

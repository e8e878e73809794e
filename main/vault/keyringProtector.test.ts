import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keyProtectorContract } from './keyProtector.contract.ts';
import { keyringProtector, type SafeStorage } from './keyringProtector.ts';

type Behaviour = Readonly<{ prefix?: string; backend?: string; available?: boolean; asynchronous?: boolean }>;

/** safeStorage as Chromium does it: a version prefix, then AES-CBC without authentication. */
function storageLike(behaviour: Behaviour = {}): SafeStorage & { calls: string[] } {
  const { prefix = 'v11', backend = 'gnome_libsecret', available = true, asynchronous = false } = behaviour;
  const key = randomBytes(16);
  const iv = Buffer.alloc(16, ' ');
  const calls: string[] = [];
  const encrypt = (text: string) => {
    const cipher = createCipheriv('aes-128-cbc', key, iv);
    // The real one has a nonce in its newer providers; the random pad stands for it.
    return Buffer.concat([
      Buffer.from(prefix),
      cipher.update(`${randomBytes(8).toString('hex')}${text}`),
      cipher.final(),
    ]);
  };
  const decrypt = (bytes: Buffer) => {
    const decipher = createDecipheriv('aes-128-cbc', key, iv);
    return Buffer.concat([decipher.update(bytes.subarray(3)), decipher.final()])
      .subarray(16)
      .toString();
  };
  return {
    calls,
    isEncryptionAvailable: () => available,
    encryptString: (text) => {
      calls.push('encryptString');
      return encrypt(text);
    },
    decryptString: decrypt,
    getSelectedStorageBackend: () => backend,
    ...(asynchronous && {
      isAsyncEncryptionAvailable: () => Promise.resolve(available),
      encryptStringAsync: (text: string) => {
        calls.push('encryptStringAsync');
        return Promise.resolve(encrypt(text));
      },
      decryptStringAsync: (bytes: Buffer) => Promise.resolve({ result: decrypt(bytes) }),
    }),
  };
}

for (const asynchronous of [false, true]) {
  describe(`the keyring protector with ${asynchronous ? 'asynchronous' : 'synchronous'} safeStorage`, () => {
    keyProtectorContract(() => ({
      protector: keyringProtector(storageLike({ asynchronous }), 'linux'),
      stranger: keyringProtector(storageLike({ asynchronous }), 'linux'),
    }));
  });
}

describe('the keyring protector', () => {
  it('uses the asynchronous calls where they exist', async () => {
    const storage = storageLike({ asynchronous: true });
    await keyringProtector(storage, 'linux').wrap(randomBytes(32));
    expect(storage.calls).toEqual(['encryptStringAsync']);
  });

  it('names the backend that made the slot', () => {
    expect(keyringProtector(storageLike({ backend: 'kwallet6' }), 'linux').name).toBe('keyring:kwallet6');
    expect(keyringProtector(storageLike(), 'darwin').name).toBe('keyring:macos_keychain');
    expect(keyringProtector(storageLike(), 'win32').name).toBe('keyring:windows_dpapi');
  });

  it.each(['basic_text', 'unknown'])('is not available with the backend %s', async (backend) => {
    const availability = await keyringProtector(storageLike({ backend }), 'linux').availability();
    expect(availability).toMatchObject({ available: false, reason: expect.stringContaining(backend) });
  });

  it('is not available when the keyring is locked', async () => {
    const availability = await keyringProtector(storageLike({ available: false }), 'linux').availability();
    expect(availability).toMatchObject({ available: false, reason: expect.stringContaining('unlock it') });
  });

  it('refuses ciphertext of the key that every Linux machine has, though the backend claims otherwise', async () => {
    const protector = keyringProtector(storageLike({ prefix: 'v10' }), 'linux');
    expect(await protector.availability()).toMatchObject({
      available: false,
      reason: expect.stringContaining('same on every machine'),
    });
    await expect(protector.wrap(randomBytes(32))).rejects.toThrow('same on every machine');
  });

  it('refuses to open a slot of that key', async () => {
    const storage = storageLike({ prefix: 'v10' });
    const planted = storage.encryptString(randomBytes(32).toString('base64'));
    await expect(keyringProtector(storage, 'linux').unwrap(planted)).rejects.toThrow('same on every machine');
  });

  it('refuses text that was not encrypted at all', async () => {
    const storage = storageLike();
    const plain: SafeStorage = { ...storage, encryptString: (text) => Buffer.from(text) };
    expect(await keyringProtector(plain, 'linux').availability()).toMatchObject({ available: false });
  });

  it('takes v10 on macOS, where it is the keychain', async () => {
    const protector = keyringProtector(storageLike({ prefix: 'v10' }), 'darwin');
    expect(await protector.availability()).toEqual({ available: true });
  });
});

import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../core/log.ts';
import { FakeKeyring, memorySlots } from './fakes.ts';
import type { KeyProtector } from './keyProtector.ts';
import { passphraseProtector } from './passphraseProtector.ts';
import type { SlotStore } from './slotStore.ts';
import { Vault } from './vault.ts';

const cheap = (passphrase: string): KeyProtector => passphraseProtector(passphrase, 10);
const words = () => `test ${randomBytes(9).toString('base64')}`;
const value = `test-${randomBytes(12).toString('hex')}`;

type Setup = Readonly<{ slots?: SlotStore; keyring?: KeyProtector; passphrase?: (text: string) => KeyProtector }>;

function vaultOf({ slots = memorySlots(), keyring, passphrase = cheap }: Setup = {}): Vault {
  return new Vault({ slots, protectors: keyring === undefined ? [] : [keyring], log: silentLog, passphrase });
}

function read(vault: Vault, bytes: Uint8Array): string {
  return vault.decrypt({ id: 'sec_1', name: 'KEY', version: 1, bytes });
}

describe('a new vault', () => {
  it('makes its slot in a trustworthy keyring by itself', async () => {
    const vault = vaultOf({ keyring: new FakeKeyring() });
    expect(await vault.open()).toBe('unlocked');
    expect(vault.slots()).toEqual(['keyring:fake']);
    expect(vault.lockReason()).toBeNull();
  });

  it('takes the passphrase of the file where there is no keyring', async () => {
    const keyring = new FakeKeyring();
    keyring.missing = 'No keyring here.';
    const vault = vaultOf({ keyring });
    expect(await vault.open(words())).toBe('unlocked');
    expect(vault.slots()).toEqual(['passphrase']);
  });

  it('keeps the passphrase of the file as a second way beside the keyring', async () => {
    const vault = vaultOf({ keyring: new FakeKeyring() });
    await vault.open(words());
    expect(vault.slots()).toEqual(['keyring:fake', 'passphrase']);
  });

  it('waits uninitialized, says why, and keeps nothing when it has neither', async () => {
    const slots = memorySlots();
    const keyring = new FakeKeyring();
    keyring.missing = 'The desktop offers no keyring.';
    const vault = vaultOf({ slots, keyring });
    expect(await vault.open()).toBe('uninitialized');
    expect(vault.lockReason()).toContain('The desktop offers no keyring.');
    expect(slots.slots()).toEqual([]);
  });

  it('does not start with a passphrase of fewer than 8 characters', async () => {
    const vault = vaultOf();
    expect(await vault.open('short')).toBe('uninitialized');
    expect(vault.lockReason()).toContain('shorter than 8');
    await expect(vault.unlock('1234567')).rejects.toMatchObject({ code: 'invalid_request' });
    expect(vault.state()).toBe('uninitialized');
    expect(await vault.unlock('12345678')).toBe('unlocked');
  });

  it('makes no slot with a keyring that does not give back what it was given', async () => {
    const keyring = new FakeKeyring();
    const broken: KeyProtector = {
      name: keyring.name,
      availability: () => keyring.availability(),
      wrap: (dataKey) => keyring.wrap(dataKey),
      unwrap: () => Promise.resolve(randomBytes(32)),
    };
    const vault = vaultOf({ keyring: broken });
    expect(await vault.open()).toBe('uninitialized');
    expect(vault.slots()).toEqual([]);
  });
});

describe('an existing vault', () => {
  async function existing(setup: Readonly<{ keyring?: FakeKeyring; passphrase?: string }>) {
    const slots = memorySlots();
    const vault = vaultOf({ slots, ...(setup.keyring && { keyring: setup.keyring }) });
    await vault.open(setup.passphrase);
    return { slots, bytes: vault.encrypt('sec_1', 'KEY', 1, value) };
  }

  it('opens with its keyring at the next start and reads its values', async () => {
    const keyring = new FakeKeyring();
    const { slots, bytes } = await existing({ keyring });
    const vault = vaultOf({ slots, keyring });
    expect(await vault.open()).toBe('unlocked');
    expect(read(vault, bytes)).toBe(value);
  });

  it('opens with the passphrase when its keyring is gone', async () => {
    const passphrase = words();
    const { slots, bytes } = await existing({ keyring: new FakeKeyring(), passphrase });
    const vault = vaultOf({ slots });
    expect(await vault.open()).toBe('locked');
    expect(vault.lockReason()).toContain('keyring:fake is not here');
    expect(await vault.unlock(passphrase)).toBe('unlocked');
    expect(read(vault, bytes)).toBe(value);
  });

  it('stays locked with a keyring that has another key now, says so, and changes nothing', async () => {
    const keyring = new FakeKeyring();
    const { slots, bytes } = await existing({ keyring });
    const before = slots.slots();
    const rightKey = keyring.key;
    keyring.key = randomBytes(32);
    const vault = vaultOf({ slots, keyring });
    expect(await vault.open()).toBe('locked');
    expect(vault.lockReason()).toContain('does not open its slot');
    expect(slots.slots()).toEqual(before);

    keyring.key = rightKey;
    expect(await vault.open()).toBe('unlocked');
    expect(read(vault, bytes)).toBe(value);
  });

  it('notices a keyring that hands out a wrong key without an error', async () => {
    const keyring = new FakeKeyring();
    const { slots } = await existing({ keyring });
    const rubbish: KeyProtector = {
      name: keyring.name,
      availability: () => keyring.availability(),
      wrap: (dataKey) => keyring.wrap(dataKey),
      unwrap: () => Promise.resolve(randomBytes(32)),
    };
    const vault = vaultOf({ slots, keyring: rubbish });
    expect(await vault.open()).toBe('locked');
    expect(vault.lockReason()).toContain('not the key of this vault');
  });

  it('refuses a wrong passphrase with its code and takes the right one after it', async () => {
    const passphrase = words();
    const { slots } = await existing({ passphrase });
    const vault = vaultOf({ slots });
    expect(await vault.open('another passphrase')).toBe('locked');
    await expect(vault.unlock(words())).rejects.toMatchObject({ code: 'wrong_passphrase' });
    expect(vault.state()).toBe('locked');
    expect(await vault.unlock(passphrase)).toBe('unlocked');
  });

  it('refuses a wrong passphrase even where the keyring would open', async () => {
    const keyring = new FakeKeyring();
    const passphrase = words();
    const { slots } = await existing({ keyring, passphrase });
    const vault = vaultOf({ slots, keyring });
    await vault.open();
    vault.lock();
    await expect(vault.unlock(words())).rejects.toMatchObject({ code: 'wrong_passphrase' });
    expect(vault.state()).toBe('locked');
    expect(await vault.unlock(passphrase)).toBe('unlocked');
  });

  it('opens with its keyring again after a lock when it has no passphrase', async () => {
    const keyring = new FakeKeyring();
    const { slots } = await existing({ keyring });
    const vault = vaultOf({ slots, keyring });
    await vault.open();
    vault.lock();
    expect(await vault.unlock('')).toBe('unlocked');
  });

  it('never makes a new key while there are secrets of a former one', async () => {
    const slots = memorySlots({ holdsSecrets: () => true });
    const vault = vaultOf({ slots, keyring: new FakeKeyring() });
    expect(await vault.open(words())).toBe('locked');
    expect(vault.lockReason()).toContain('Restore a backup');
    await expect(vault.unlock(words())).rejects.toMatchObject({ code: 'wrong_passphrase' });
    expect(slots.slots()).toEqual([]);
  });

  it('gets a new passphrase only while it is unlocked, and then only the new one opens it', async () => {
    const [former, next] = [words(), words()];
    const { slots } = await existing({ passphrase: former });
    const vault = vaultOf({ slots });
    await expect(vault.setPassphrase(next)).rejects.toMatchObject({ code: 'vault_locked' });
    await vault.unlock(former);
    await vault.setPassphrase(next);
    vault.lock();
    await expect(vault.unlock(former)).rejects.toMatchObject({ code: 'wrong_passphrase' });
    expect(await vault.unlock(next)).toBe('unlocked');
  });
});

describe('locking', () => {
  it('takes values and derived keys away until the next unlock', async () => {
    const passphrase = words();
    const vault = vaultOf();
    await vault.open(passphrase);
    const bytes = vault.encrypt('sec_1', 'KEY', 1, value);
    const derived = Buffer.from(vault.deriveKey('seals'));
    vault.lock();
    expect(() => vault.encrypt('sec_1', 'KEY', 1, value)).toThrow(expect.objectContaining({ code: 'vault_locked' }));
    expect(() => read(vault, bytes)).toThrow(expect.objectContaining({ code: 'vault_locked' }));
    expect(() => vault.deriveKey('seals')).toThrow(expect.objectContaining({ code: 'vault_locked' }));
    await vault.unlock(passphrase);
    expect(read(vault, bytes)).toBe(value);
    expect(Buffer.from(vault.deriveKey('seals'))).toEqual(derived);
    expect(Buffer.from(vault.deriveKey('other'))).not.toEqual(derived);
  });

  it('wins over an unlock that is still under way', async () => {
    const passphrase = words();
    const slots = memorySlots();
    await vaultOf({ slots }).open(passphrase);
    const vault = vaultOf({ slots });
    const unlocking = vault.unlock(passphrase);
    await new Promise<void>((resolve) => vault.onChange((state) => state === 'unlocking' && resolve()));
    vault.lock();
    await expect(unlocking).rejects.toMatchObject({ code: 'vault_locked' });
    expect(vault.state()).toBe('locked');
  });

  it('wins over an unlock that was asked for before it and has not begun', async () => {
    const passphrase = words();
    const slots = memorySlots();
    await vaultOf({ slots }).open(passphrase);
    const vault = vaultOf({ slots });
    const wrong = vault.unlock(words()).catch(() => 'refused');
    const unlocking = vault.unlock(passphrase);
    vault.lock();
    await expect(unlocking).rejects.toMatchObject({ code: 'vault_locked' });
    expect(await wrong).toBe('refused');
    expect(vault.state()).toBe('locked');
  });

  it('never lets a passphrase slot be made of a key that was just overwritten', async () => {
    const slots = memorySlots();
    const former = words();
    const next = words();
    let vault: Vault | null = null;
    const lockingMeanwhile = (text: string): KeyProtector => {
      const real = cheap(text);
      const wrap: KeyProtector['wrap'] = (dataKey) => {
        vault?.lock();
        return real.wrap(dataKey);
      };
      return text === next ? { ...real, wrap } : real;
    };
    vault = vaultOf({ slots, passphrase: lockingMeanwhile });
    await vault.open(former);
    const bytes = vault.encrypt('sec_1', 'KEY', 1, value);
    await vault.setPassphrase(next);
    expect(vault.state()).toBe('locked');
    const later = vaultOf({ slots });
    await later.unlock(next);
    expect(read(later, bytes)).toBe(value);
  });

  it('tells its listeners each state once, and the key works when `unlocked` is told', async () => {
    const passphrase = words();
    const vault = vaultOf();
    const told: string[] = [];
    const stop = vault.onChange((state) => {
      told.push(state === 'unlocked' ? `unlocked ${vault.deriveKey('seals').length}` : state);
    });
    await vault.open();
    await vault.unlock(passphrase);
    vault.lock();
    stop();
    await vault.unlock(passphrase);
    expect(told).toEqual(['unlocking', 'uninitialized', 'unlocking', 'unlocked 32', 'locked']);
  });

  it('does not let a failing listener keep the vault from opening', async () => {
    const vault = vaultOf();
    vault.onChange(() => {
      throw new Error('of the listener');
    });
    expect(await vault.open(words())).toBe('unlocked');
  });
});

describe('a stored value', () => {
  it('that was moved to another name does not open, and the error says what to do', async () => {
    const vault = vaultOf();
    await vault.open(words());
    const bytes = vault.encrypt('sec_1', 'KEY', 1, value);
    expect(() => vault.decrypt({ id: 'sec_1', name: 'OTHER', version: 1, bytes })).toThrow(
      expect.objectContaining({ code: 'storage_unavailable', message: expect.stringContaining('OTHER') }),
    );
  });
});

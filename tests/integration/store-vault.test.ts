import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../main/core/log.ts';
import { givenRequest, minute, nextId, standing, start, type TempStore, tempStore } from '../../main/store/fixtures.ts';
import type { Store } from '../../main/store/store.ts';
import { FakeKeyring } from '../../main/vault/fakes.ts';
import { passphraseProtector } from '../../main/vault/passphraseProtector.ts';
import type { SlotStore } from '../../main/vault/slotStore.ts';
import { Vault } from '../../main/vault/vault.ts';

let temp: TempStore;
beforeEach(() => {
  temp = tempStore();
});
afterEach(() => temp.dispose());

/** As the broker ties them: the vault's key seals the store while the vault is unlocked. */
function tie(store: Store, keyring: FakeKeyring): Vault {
  const slots: SlotStore = store;
  const vault = new Vault({
    slots,
    protectors: [keyring],
    log: silentLog,
    passphrase: (text) => passphraseProtector(text, 10),
  });
  store.setMacKey(null);
  vault.onChange((state) => store.setMacKey(state === 'unlocked' ? vault.deriveKey('store seals') : null));
  return vault;
}

describe('a vault on the real store', () => {
  it('opens after a restart with its values, its trust and its sealed log', async () => {
    const keyring = new FakeKeyring();
    const value = `test-${randomBytes(12).toString('hex')}`;
    let store = temp.reopen();
    let vault = tie(store, keyring);
    await vault.open();
    const id = nextId('sec');
    store.addSecret(
      {
        id,
        name: 'API_KEY',
        encrypted: vault.encrypt(id, 'API_KEY', 1, value),
        delivery: 'placeholder',
        binding: { hosts: [], places: { headers: [], query: [], path: false, json: [], form: [] }, source: 'owner' },
      },
      'desktop',
      start,
    );
    const request = givenRequest(store);
    store.decide(standing(store, request, 'forever'));

    store = temp.reopen();
    vault = tie(store, keyring);
    expect(vault.state()).toBe('locked');
    expect(store.liveTrust(request.trustKey, start + minute)).toBeNull();
    expect(await vault.open()).toBe('unlocked');
    expect(store.liveTrust(request.trustKey, start + minute)).not.toBeNull();
    const stored = store.encryptedSecret(id);
    expect(stored && vault.decrypt(stored)).toBe(value);
    expect(store.audit({ limit: 9, kind: 'vault.slot_added' })).toHaveLength(1);
  });

  it('locks, and nothing is trusted until it is unlocked again', async () => {
    const store = temp.reopen();
    const vault = tie(store, new FakeKeyring());
    await vault.open('a test passphrase');
    const request = givenRequest(store);
    store.decide(standing(store, request));
    vault.lock();
    expect(store.liveTrust(request.trustKey, start + minute)).toBeNull();
    await vault.unlock('a test passphrase');
    expect(store.liveTrust(request.trustKey, start + minute)).not.toBeNull();
    expect(store.verifyAudit()).toMatchObject({ ok: true });
  });

  it('whose slots were taken out stays locked instead of starting anew over the secrets', async () => {
    const store = temp.reopen();
    const keyring = new FakeKeyring();
    await tie(store, keyring).open();
    store.addSecret(
      {
        id: 'sec_1',
        name: 'API_KEY',
        encrypted: randomBytes(40),
        delivery: 'placeholder',
        binding: { hosts: [], places: { headers: [], query: [], path: false, json: [], form: [] }, source: 'owner' },
      },
      'desktop',
      start,
    );
    store.removeSlot('keyring:fake');
    const vault = tie(store, keyring);
    expect(await vault.open()).toBe('locked');
    expect(store.slots()).toEqual([]);
  });

  it('gets a new slot in place of the old one of the same protector', async () => {
    const store = temp.reopen();
    const vault = tie(store, new FakeKeyring());
    await vault.open('a first passphrase');
    await vault.setPassphrase('a second passphrase');
    expect([...vault.slots()].sort()).toEqual(['keyring:fake', 'passphrase']);
  });
});

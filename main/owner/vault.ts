import type { OwnerActions } from '../../contract/owner.ts';
import type { OwnerDeps } from './ports.ts';

type VaultActions = Pick<OwnerActions, 'unlock' | 'lock' | 'setPassphrase'>;

export function vaultActions({ vault, records, clock }: OwnerDeps): VaultActions {
  return {
    async unlock(principal, passphrase) {
      const before = vault.state();
      if (before === 'unlocked') return;
      await vault.unlock(passphrase);
      const kind = before === 'uninitialized' ? 'vault.created' : 'vault.unlocked';
      records.appendAudit({ actor: principal, kind, payload: { slots: vault.slots() } }, clock.wallMs());
    },

    lock(principal) {
      vault.lock();
      records.appendAudit({ actor: principal, kind: 'vault.locked', payload: {} }, clock.wallMs());
    },

    async setPassphrase(principal, passphrase) {
      await vault.setPassphrase(passphrase);
      records.appendAudit(
        { actor: principal, kind: 'vault.passphrase_set', payload: { slots: vault.slots() } },
        clock.wallMs(),
      );
    },
  };
}

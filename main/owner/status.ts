import type { OwnerActions } from '../../contract/owner.ts';
import type { PauseSwitch } from './panic.ts';
import type { OwnerDeps } from './ports.ts';
import type { SettingsBook } from './settings.ts';

export function statusAction(
  { vault, runs, statusFacts }: OwnerDeps,
  settings: SettingsBook,
  pauseSwitch: PauseSwitch,
): Pick<OwnerActions, 'status'> {
  return {
    async status() {
      const facts = await statusFacts();
      return {
        ...facts,
        vault: vault.state(),
        vault_slots: vault.slots(),
        paused: pauseSwitch.isPaused(),
        running: runs.counts().running,
        // Chosen before the bridge opens; quickjs is what is always there.
        default_runtime: settings.get('runtime.default') ?? 'quickjs',
      };
    },
  };
}

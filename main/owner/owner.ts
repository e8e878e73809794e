import type { OwnerActions } from '../../contract/owner.ts';
import { agentActions } from './agents.ts';
import { auditActions } from './audit.ts';
import { type LocalServiceBook, localServiceActions } from './localServices.ts';
import { type PauseSwitch, stopActions } from './panic.ts';
import { pauseOffer } from './pauseOffer.ts';
import { requestActions } from './requests.ts';
import { runActions } from './runs.ts';
import { type SampleDeps, sampleActions } from './sample.ts';
import { secretActions } from './secrets.ts';
import { type SettingsBook, settingActions } from './settings.ts';
import { statusAction } from './status.ts';
import { trustActions } from './trust.ts';
import { vaultActions } from './vault.ts';

/** What the owner's standing choices are kept in; the rest of the house reads them too. */
export type OwnerBooks = Readonly<{ settings: SettingsBook; localServices: LocalServiceBook; pause: PauseSwitch }>;

/** The owner's side of the house, each action once, for window, tray, Telegram and CLI. Every change is audited. */
export function createOwner(deps: SampleDeps, books: OwnerBooks): OwnerActions {
  return {
    ...statusAction(deps, books.settings, books.pause),
    ...agentActions(deps),
    ...secretActions({ ...deps, localNames: () => books.localServices.names() }),
    ...trustActions(deps),
    ...requestActions(deps),
    ...runActions(deps),
    ...pauseOffer(deps),
    ...sampleActions(deps, books.settings),
    ...auditActions(deps),
    ...settingActions(deps, books.settings),
    ...localServiceActions(deps, books.localServices),
    ...vaultActions(deps),
    ...stopActions(deps, books.pause),
    prepareSandboxes: (...wanted) => deps.prepareSandboxes(...wanted),
    wakeTest: () => deps.wakeTest(),
    telegram: deps.telegram,
  };
}

import { randomBytes } from 'node:crypto';
import type { Settings } from '../contract/settings.ts';
import type { BrokerOptions } from './broker.ts';
import { ChangeSignal } from './core/signal.ts';
import { systemClock } from './core/systemClock.ts';
import { Notices } from './notices.ts';
import { LocalServiceBook } from './owner/localServices.ts';
import { PauseSwitch } from './owner/panic.ts';
import { SettingsBook } from './owner/settings.ts';
import { ClockGuard } from './requests/clockGuard.ts';
import { RequestAnnouncer } from './requests/requestEvents.ts';
import type { StopList } from './stopList.ts';
import { openStore } from './store/store.ts';
import { Vault } from './vault/vault.ts';

/** OAUTH3_SANDBOX names where code runs; the default runtime follows from it. */
const environmentRuntimes = { embedded: 'quickjs', docker: 'deno' } as const;

/** What everything else stands on: the store, the vault (not opened yet), the owner's standing choices, announcements. */
export type Books = ReturnType<typeof openBooks>;

export function openBooks({ config, dataDir, nativeBinding, ports }: BrokerOptions, stops: StopList) {
  const { log } = ports;
  const clock = ports.clock ?? systemClock;
  const random = ports.random ?? randomBytes;
  const records = openStore({ dataDir, nativeBinding, log, clock });
  stops.add('store', () => records.close());
  const clockGuard = new ClockGuard(records, clock);
  stops.add('clock', () => clockGuard.save(true));

  const events = new RequestAnnouncer(log);
  const facts = new ChangeSignal();
  stops.add('facts', events.onChanged(facts.emit));
  const notices = new Notices(log);

  const environment: Partial<Settings> =
    config.sandbox === null ? {} : { 'runtime.default': environmentRuntimes[config.sandbox] };
  const settings = new SettingsBook(records, clock, environment);
  const pause = new PauseSwitch({ records, clock, changed: facts.emit });
  const localServices = new LocalServiceBook({ records, clock, environmentServices: config.localServices });

  const vault = new Vault({
    slots: records,
    protectors: ports.keyProtectors,
    log,
    ...(ports.passphraseProtector === undefined ? {} : { passphrase: ports.passphraseProtector }),
  });
  vault.onChange((state) => {
    // First of all listeners: whoever hears of an unlocked vault finds its seals valid.
    records.setMacKey(state === 'unlocked' ? vault.deriveKey('seal') : null);
    facts.emit();
  });
  stops.add('vault', () => vault.lock());

  return { log, clock, random, records, clockGuard, events, facts, notices, settings, pause, localServices, vault };
}

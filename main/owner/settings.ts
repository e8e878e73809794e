import { CodedError } from '../../contract/errors.ts';
import type { OwnerActions } from '../../contract/owner.ts';
import { plainWords } from '../../contract/plainWords.ts';
import {
  defaultSettings,
  isSettingKey,
  type SettingKey,
  type Settings,
  settingKeys,
  settingsSchemas,
} from '../../contract/settings.ts';
import type { Clock } from '../core/clock.ts';
import type { Records } from '../core/records.ts';
import { announce, type OwnerDeps } from './ports.ts';

/** Limits whose raising lets agents do more; the others are the owner's taste. */
const widening: ReadonlySet<SettingKey> = new Set([
  'limits.pending_per_agent',
  'limits.requests_per_minute',
  'limits.concurrent_runs',
  'limits.concurrent_runs_per_agent',
  'approval.expires_minutes',
  'pairing.open',
  'runtime.default',
  'isolation.minimum',
  'engine.allow_remote',
]);

/**
 * Settings as they hold now: environment over stored over default. Read on every request, so they are kept in memory;
 * all writes go through `set`. A stored value that no longer fits its schema counts as not stored.
 */
export class SettingsBook {
  readonly #records: Pick<Records, 'setting' | 'setSetting'>;
  readonly #clock: Clock;
  readonly #environment: Partial<Settings>;
  #known: Settings | null = null;

  constructor(records: Pick<Records, 'setting' | 'setSetting'>, clock: Clock, environment: Partial<Settings> = {}) {
    this.#records = records;
    this.#clock = clock;
    this.#environment = environment;
  }

  all(): Settings {
    if (this.#known === null) {
      const stored = Object.fromEntries(
        settingKeys.flatMap((key) => {
          const value = settingsSchemas[key].safeParse(this.#records.setting(key));
          return value.success ? [[key, value.data]] : [];
        }),
      );
      this.#known = { ...defaultSettings, ...stored, ...this.#environment };
    }
    return this.#known;
  }

  /** Keys that the environment sets. */
  fixed(): readonly SettingKey[] {
    return settingKeys.filter((key) => this.#environment[key] !== undefined);
  }

  get<Key extends SettingKey>(key: Key): Settings[Key] {
    return this.all()[key];
  }

  /** Stores and audits. CodedError `invalid_request` for an unknown key or a value out of range. */
  set(key: string, value: unknown, actor: Parameters<Records['setSetting']>[2]): void {
    if (!isSettingKey(key)) {
      throw new CodedError('invalid_request', `There is no setting ${JSON.stringify(key)}`, {
        hint: `Settings are: ${settingKeys.join(', ')}`,
      });
    }
    const checked = settingsSchemas[key].safeParse(value, { error: plainWords });
    if (!checked.success) {
      const reason = checked.error.issues[0]?.message ?? 'has the wrong form';
      throw new CodedError('invalid_request', `${key} ${reason}`);
    }
    this.#records.setSetting(key, checked.data, actor, this.#clock.wallMs());
    this.#known = null;
  }
}

type SettingActions = Pick<OwnerActions, 'settings' | 'environmentSettings' | 'setSetting'>;

export function settingActions(deps: OwnerDeps, book: SettingsBook): SettingActions {
  return {
    settings: () => book.all(),
    environmentSettings: () => book.fixed(),
    setSetting(principal, key, value) {
      book.set(key, value, principal);
      deps.limitsChanged();
      if (widening.has(key)) announce(deps, principal, `The setting ${key} is now ${JSON.stringify(book.get(key))}`);
    },
  };
}

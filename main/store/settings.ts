import type { Records } from '../core/records.ts';
import type { StoreContext } from './context.ts';
import { jsonValue, maybe, textValue } from './rowParser.ts';

export type SettingRecords = Pick<Records, 'setting' | 'setSetting' | 'state' | 'setState'>;

export function settingRecords({ db, relaxed, audit }: StoreContext): SettingRecords {
  return {
    setting(key) {
      const found = db.get('SELECT value FROM settings WHERE key = ?', [key]);
      // A stored null is a value; undefined means that the setting was never set.
      return found === undefined ? undefined : jsonValue(found);
    },
    setSetting: (key, value, actor, nowMs) =>
      db.write(() => {
        db.run(
          `INSERT INTO settings (key, value, updated_at, updated_by) VALUES (?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at,
             updated_by = excluded.updated_by`,
          [key, JSON.stringify(value ?? null), nowMs, actor],
        );
        audit.append({ actor, kind: 'setting.changed', payload: { key, value: value ?? null } }, nowMs);
      }),

    state: (key) => maybe(textValue, db.get('SELECT value FROM broker_state WHERE key = ?', [key])),
    setState: (key, value) =>
      relaxed.now((quick) => {
        quick.run(
          'INSERT INTO broker_state (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
          [key, value],
        );
      }),
  };
}

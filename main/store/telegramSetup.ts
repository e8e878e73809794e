import { z } from 'zod';
import type { Records } from '../core/records.ts';
import type { StoreContext } from './context.ts';
import { jsonValue } from './rowParser.ts';

const key = 'telegram.setup';
const rowSchema = z.strictObject({ version: z.number().int(), sealed: z.base64() });

export type TelegramSetupRecords = Pick<Records, 'telegramSetup' | 'saveTelegramSetup'>;

/** The owner's bot stands beside the settings, but is none: its value is sealed, and the audit log never gets it. */
export function telegramSetupRecords({ db, audit }: StoreContext): TelegramSetupRecords {
  return {
    telegramSetup() {
      const found = db.get("SELECT iif(json_valid(value), value, 'null') AS value FROM settings WHERE key = ?", [key]);
      if (found === undefined) return null;
      // A row of another hand is one that does not open: it must not keep the house from starting.
      const { version, sealed } = rowSchema.safeParse(jsonValue(found)).data ?? { version: 0, sealed: '' };
      return { version, sealed: Buffer.from(sealed, 'base64') };
    },

    saveTelegramSetup(setup, event, nowMs) {
      db.write(() => {
        db.run('DELETE FROM settings WHERE key = ?', [key]);
        if (setup !== null) {
          const value = { version: setup.version, sealed: Buffer.from(setup.sealed).toString('base64') };
          db.run('INSERT INTO settings (key, value, updated_at, updated_by) VALUES (?, ?, ?, ?)', [
            key,
            JSON.stringify(value),
            nowMs,
            event.actor,
          ]);
        }
        audit.append(event, nowMs);
      });
      // As with secrets: what is gone leaves the write-ahead log too.
      db.pragma('wal_checkpoint(TRUNCATE)');
    },
  };
}

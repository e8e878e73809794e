import type { Records } from '../core/records.ts';
import type { StoreContext } from './context.ts';
import { maybe } from './rowParser.ts';
import { cardRow, nonceRow } from './rows.ts';

export type CardRecords = Pick<Records, 'saveCard' | 'cards' | 'removeCards' | 'saveNonces' | 'nonce' | 'removeNonces'>;

/**
 * Where cards stand and what their buttons mean. Relaxed writes: they survive a crash of ours, and after a power cut
 * the card is shown again.
 */
export function cardRecords({ db, relaxed }: StoreContext): CardRecords {
  return {
    saveCard: ({ subject, subjectId, channel, reference }, nowMs) =>
      relaxed.now((quick) => {
        quick.run(
          `INSERT INTO cards (subject, subject_id, channel, reference, updated_at) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET reference = excluded.reference, updated_at = excluded.updated_at`,
          [subject, subjectId, channel, JSON.stringify(reference), nowMs],
        );
      }),
    cards: (subject, subjectId) =>
      db
        .all('SELECT * FROM cards WHERE subject = ? AND subject_id = ? ORDER BY channel', [subject, subjectId])
        .map(cardRow),
    removeCards: (subject, subjectId) =>
      relaxed.now((quick) => {
        quick.run('DELETE FROM cards WHERE subject = ? AND subject_id = ?', [subject, subjectId]);
      }),

    saveNonces: (rows, nowMs) =>
      relaxed.now((quick) => {
        for (const { nonce, subject, subjectId, revision, action } of rows) {
          quick.run(
            `INSERT INTO card_nonces (nonce, subject, subject_id, revision, action, created_at)
             VALUES (?, ?, ?, ?, ?, ?)`,
            [nonce, subject, subjectId, revision, action, nowMs],
          );
        }
      }),
    nonce: (nonce) => maybe(nonceRow, db.get('SELECT * FROM card_nonces WHERE nonce = ?', [nonce])),
    removeNonces: (subject, subjectId) =>
      relaxed.now((quick) => {
        quick.run('DELETE FROM card_nonces WHERE subject = ? AND subject_id = ?', [subject, subjectId]);
      }),
  };
}

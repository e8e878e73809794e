import { randomUUID } from 'node:crypto';
import type { Records, RequestRecord } from '../core/records.ts';
import type { StoreContext } from './context.ts';
import { wakeRow } from './requestRows.ts';
import { intValue, maybeIntValue } from './rowParser.ts';
import type { Sqlite } from './sqlite.ts';

export type WakeRecords = Pick<Records, 'dueWakes' | 'nextWakeAt' | 'wakeDelivered' | 'wakeFailed' | 'wakeDropped'>;

/** Puts word for the agent into the outbox, inside the transaction that ended its request. */
export function queueWake(db: Sqlite, request: RequestRecord, text: string, nowMs: number): void {
  insertWake(db, { requestId: request.id, agentId: request.agentId, text, kind: 'final', nextAt: nowMs, nowMs });
}

/** The result was fetched: nothing is left to remind of. */
export function forgetReminders(db: Sqlite, requestId: string): void {
  db.run("DELETE FROM wake_outbox WHERE request_id = ? AND kind = 'reminder'", [requestId]);
}

export function wakeRecords({ db, audit }: StoreContext): WakeRecords {
  const find = (id: string) => db.all('SELECT * FROM wake_outbox WHERE id = ?', [id]).map(wakeRow)[0];

  return {
    dueWakes: (nowMs, limit) =>
      db
        .all('SELECT * FROM wake_outbox WHERE next_at <= ? ORDER BY next_at, rowid LIMIT ?', [nowMs, limit])
        .map(wakeRow),
    nextWakeAt: () => maybeIntValue(db.get('SELECT min(next_at) AS value FROM wake_outbox')),

    wakeDelivered: (id, nowMs, reminder) =>
      db.write(() => {
        const wake = find(id);
        if (wake === undefined) {
          return;
        }
        const { requestId, agentId, kind, attempts } = wake;
        db.run('DELETE FROM wake_outbox WHERE id = ?', [id]);
        if (reminder !== null && !fetched(db, requestId)) {
          insertWake(db, { requestId, agentId, text: reminder.text, kind: 'reminder', nextAt: reminder.at, nowMs });
        }
        audit.append(
          { actor: 'broker', kind: 'wake.delivered', requestId, payload: { kind, attempts: attempts + 1 } },
          nowMs,
        );
      }),

    wakeDropped: (id) => {
      db.write(() => db.run('DELETE FROM wake_outbox WHERE id = ?', [id]));
    },

    wakeFailed: (id, nextAt, nowMs) =>
      db.write(() => {
        const wake = find(id);
        if (wake === undefined) {
          return;
        }
        if (nextAt !== null) {
          db.run('UPDATE wake_outbox SET attempts = attempts + 1, next_at = ? WHERE id = ?', [nextAt, id]);
          return;
        }
        const { requestId, kind, attempts } = wake;
        db.run('DELETE FROM wake_outbox WHERE id = ?', [id]);
        audit.append(
          { actor: 'broker', kind: 'wake.given_up', requestId, payload: { kind, attempts: attempts + 1 } },
          nowMs,
        );
      }),
  };
}

function fetched(db: Sqlite, requestId: string): boolean {
  return (
    intValue(
      db.get('SELECT count(*) AS value FROM requests WHERE id = ? AND result_fetched_at IS NOT NULL', [requestId]),
    ) === 1
  );
}

type NewWake = Readonly<{
  requestId: string;
  agentId: string;
  text: string;
  kind: 'final' | 'reminder';
  nextAt: number;
  nowMs: number;
}>;

function insertWake(db: Sqlite, wake: NewWake): void {
  db.run(
    `INSERT INTO wake_outbox (id, request_id, agent_id, text, kind, attempts, next_at, created_at)
     VALUES (?, ?, ?, ?, ?, 0, ?, ?)`,
    [`wak_${randomUUID()}`, wake.requestId, wake.agentId, wake.text, wake.kind, wake.nextAt, wake.nowMs],
  );
}

import { maybe, textValue } from './rowParser.ts';
import { linkRow, sealRow } from './rows.ts';
import type { Seal } from './seal.ts';
import type { Sqlite } from './sqlite.ts';

export type AuditGap = Readonly<{ seq: number; reason: string }>;

const label = 'audit-head';

/**
 * The sealed end of the audit log. While the vault is locked the seal stays where it was and the chain alone goes on;
 * at the next unlock the two are compared before the seal moves.
 */
export class AuditHead {
  readonly #db: Sqlite;
  readonly #seal: Seal;

  constructor(db: Sqlite, seal: Seal) {
    this.#db = db;
    this.#seal = seal;
  }

  /** Seals the newest event. Nothing without a key. */
  move(db: Sqlite): void {
    const last = maybe(linkRow, db.get('SELECT seq, hash FROM audit_events ORDER BY seq DESC LIMIT 1'));
    const mac = last === null ? null : this.#seal.make(label, [last.seq, last.hash]);
    if (last !== null && mac !== null) {
      db.run(
        `INSERT INTO audit_head (id, seq, hash, mac) VALUES (1, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, mac = excluded.mac`,
        [last.seq, last.hash, mac],
      );
    }
  }

  /** Writes the head down for good, as something the log must always meet. */
  keepAsCheckpoint(nowMs: number): void {
    this.#db.run(
      `INSERT INTO audit_checkpoints (seq, hash, mac, at) SELECT seq, hash, mac, ? FROM audit_head AS head
       WHERE NOT EXISTS (SELECT 1 FROM audit_checkpoints AS kept
         WHERE kept.seq = head.seq AND kept.hash = head.hash AND kept.mac = head.mac)`,
      [nowMs],
    );
  }

  check(): AuditGap | null {
    const head = maybe(sealRow, this.#db.get('SELECT seq, hash, mac FROM audit_head'));
    return head === null ? null : this.#compare(head);
  }

  checkCheckpoints(): AuditGap | null {
    for (const found of this.#db.all('SELECT seq, hash, mac FROM audit_checkpoints ORDER BY seq, id')) {
      const gap = this.#compare(sealRow(found));
      if (gap !== null) {
        return gap;
      }
    }
    return null;
  }

  #compare(sealed: ReturnType<typeof sealRow>): AuditGap | null {
    const { seq, hash, mac } = sealed;
    // Without a key the seal itself cannot be judged, what it names still can.
    if (this.#seal.ready && !this.#seal.matches(mac, label, [seq, hash])) {
      return { seq, reason: 'The seal of this event is not ours.' };
    }
    const found = maybe(textValue, this.#db.get('SELECT hash AS value FROM audit_events WHERE seq = ?', [seq]));
    if (found === null) {
      return { seq, reason: 'The log was cut: this event was sealed and is gone.' };
    }
    return found === hash ? null : { seq, reason: 'The log was rewritten: this event was sealed with another hash.' };
  }
}

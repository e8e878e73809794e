import type { Principal } from '../../contract/states.ts';
import type { Records, TrustEntry } from '../core/records.ts';
import type { StoreContext } from './context.ts';
import { intValue, maybe } from './rowParser.ts';
import { trustRow } from './rows.ts';

export type TrustRecords = Pick<
  Records,
  | 'liveTrust'
  | 'trustEntry'
  | 'trustEntries'
  | 'everApproved'
  | 'touchTrust'
  | 'revokeTrust'
  | 'revokeAllTrust'
  | 'suspendTrust'
  | 'trustUsingSecret'
>;

type NewTrust = Omit<TrustEntry, 'revokedAt' | 'suspendedAt' | 'suspendReason' | 'lastUsedAt' | 'useCount'>;

const sealLabel = 'trust-entry';
const standing = "trust_level IN ('24h', 'forever') AND revoked_at IS NULL";

function sealedFields(entry: NewTrust): readonly (string | number | null)[] {
  return [
    entry.id,
    entry.trustKey,
    entry.agentId,
    entry.skillId,
    entry.codeHash,
    entry.level,
    entry.argsPolicy,
    entry.principal,
    entry.requestId,
    entry.manifestDigest,
    entry.approvedAt,
    entry.expiresAt,
  ];
}

/**
 * Writes an approval inside the caller's transaction. A standing one takes the place of an earlier one for the same
 * trust key, and carries a seal: a row that was put in by another hand is no trust.
 */
export function insertApproval({ db, audit, seal }: StoreContext, entry: NewTrust): void {
  if (entry.level !== 'once') {
    const replaced = db.run(`UPDATE approvals SET revoked_at = ?, mac = NULL WHERE trust_key = ? AND ${standing}`, [
      entry.approvedAt,
      entry.trustKey,
    ]);
    if (replaced > 0) {
      audit.append(
        { actor: entry.principal, kind: 'trust.replaced', payload: { trust_key: entry.trustKey, by: entry.id } },
        entry.approvedAt,
      );
    }
  }
  db.run(
    `INSERT INTO approvals (id, skill_id, code_hash, trust_level, approved_at, expires_at, trust_key, agent_id,
       args_policy, principal, request_id, manifest_digest, mac)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      entry.id,
      entry.skillId,
      entry.codeHash,
      entry.level,
      entry.approvedAt,
      entry.expiresAt,
      entry.trustKey,
      entry.agentId,
      entry.argsPolicy,
      entry.principal,
      entry.requestId,
      entry.manifestDigest,
      seal.make(sealLabel, sealedFields(entry)),
    ],
  );
}

export function trustRecords({ db, relaxed, audit, seal }: StoreContext): TrustRecords {
  const suspend = (id: string, reason: string, nowMs: number): boolean =>
    db.write(() => {
      const changed = db.run(
        `UPDATE approvals SET suspended_at = ?, suspend_reason = ?, mac = NULL
         WHERE id = ? AND ${standing} AND suspended_at IS NULL`,
        [nowMs, reason, id],
      );
      if (changed === 1) {
        audit.append({ actor: 'broker', kind: 'trust.suspended', payload: { trust_id: id, reason } }, nowMs);
      }
      return changed === 1;
    });

  return {
    liveTrust(trustKey, nowMs) {
      // An approval from the future means that the clock was set back: its 24 hours cannot be told.
      const found = maybe(
        trustRow,
        db.get(
          `SELECT * FROM approvals WHERE trust_key = ? AND ${standing} AND suspended_at IS NULL
             AND (trust_level = 'forever' OR (expires_at > ? AND approved_at <= ?))`,
          [trustKey, nowMs, nowMs],
        ),
      );
      if (found === null || !seal.ready) {
        return null;
      }
      if (!seal.matches(found.mac, sealLabel, sealedFields(found.entry))) {
        suspend(found.entry.id, 'Its seal is wrong: the row was not written by this app.', nowMs);
        return null;
      }
      return found.entry;
    },

    trustEntry(id) {
      relaxed.flush();
      return maybe(trustRow, db.get('SELECT * FROM approvals WHERE id = ?', [id]))?.entry ?? null;
    },
    trustEntries() {
      relaxed.flush();
      return db
        .all("SELECT * FROM approvals WHERE trust_level IN ('24h', 'forever') ORDER BY approved_at DESC, rowid DESC")
        .map((found) => trustRow(found).entry);
    },
    everApproved: (trustKey) =>
      db.get(
        `SELECT 1 FROM (SELECT revoked_at, suspended_at FROM approvals WHERE trust_key = ?
           ORDER BY approved_at DESC, rowid DESC LIMIT 1) WHERE revoked_at IS NULL AND suspended_at IS NULL`,
        [trustKey],
      ) !== undefined,

    touchTrust: (id, nowMs) =>
      relaxed.later((quick) => {
        quick.run('UPDATE approvals SET last_used_at = ?, use_count = use_count + 1 WHERE id = ?', [nowMs, id]);
      }),

    revokeTrust: (id: string, actor: Principal, nowMs: number) =>
      db.write(() => {
        const changed = db.run(`UPDATE approvals SET revoked_at = ?, mac = NULL WHERE id = ? AND ${standing}`, [
          nowMs,
          id,
        ]);
        if (changed === 1) {
          audit.append({ actor, kind: 'trust.revoked', payload: { trust_id: id } }, nowMs);
        }
        return changed === 1;
      }),

    revokeAllTrust: (actor, nowMs) =>
      db.write(() => {
        const count = intValue(
          db.get(
            `SELECT count(*) AS value FROM approvals WHERE ${standing} AND (expires_at IS NULL OR expires_at > ?)`,
            [nowMs],
          ),
        );
        db.run(`UPDATE approvals SET revoked_at = ?, mac = NULL WHERE ${standing}`, [nowMs]);
        audit.append({ actor, kind: 'trust.revoked_all', payload: { count } }, nowMs);
        return count;
      }),

    suspendTrust: suspend,

    trustUsingSecret: (secretId) =>
      db
        .all(
          `SELECT approvals.* FROM approvals JOIN manifests ON manifests.digest = approvals.manifest_digest
           WHERE ${standing} AND EXISTS (
             SELECT 1 FROM json_each(manifests.json, '$.secrets') AS secret
             WHERE json_extract(secret.value, '$.secretId') = ?)
           ORDER BY approved_at DESC`,
          [secretId],
        )
        .map((found) => trustRow(found).entry),
  };
}

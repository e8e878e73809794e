import type { Manifest } from '../core/manifestTypes.ts';
import type { NewRequest, NewRequestResult, Records, RequestRecord } from '../core/records.ts';
import type { StoreContext } from './context.ts';
import { parseManifest } from './manifestRow.ts';
import { egressRow, requestRow, resultValue } from './requestRows.ts';
import { bytesValue, intValue, maybe, textValue } from './rowParser.ts';
import type { Sqlite } from './sqlite.ts';

export type RequestRecords = Pick<
  Records,
  | 'insertRequest'
  | 'requestByIdempotencyKey'
  | 'request'
  | 'requests'
  | 'requestPage'
  | 'pendingRequests'
  | 'manifest'
  | 'code'
  | 'result'
  | 'egressOf'
  | 'replaceManifest'
  | 'lastApproved'
>;

export function findRequest(db: Sqlite, id: string): RequestRecord | null {
  return maybe(requestRow, db.get('SELECT * FROM requests WHERE id = ?', [id]));
}

/** For a row that this transaction has just written. */
export function requireRequest(db: Sqlite, id: string): RequestRecord {
  return requestRow(db.get('SELECT * FROM requests WHERE id = ?', [id]));
}

/** Oldest first. The state stands in the text, because a parameter would keep SQLite from its partial indexes. */
export function requestsIn(db: Sqlite, status: 'pending' | 'approved' | 'running'): readonly RequestRecord[] {
  return db.all(`SELECT * FROM requests WHERE status = '${status}' ORDER BY created_at, rowid`).map(requestRow);
}

export function insertManifest(db: Sqlite, manifest: Manifest, digest: string, nowMs: number): void {
  db.run(
    'INSERT INTO manifests (digest, code_hash, version, json, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    [digest, manifest.code.sha256, manifest.version, JSON.stringify(manifest), nowMs],
  );
}

/** What stands in the way of a new row: the same request, another body under the same key, or the pending cap. */
function answeredAlready(db: Sqlite, request: NewRequest): NewRequestResult | null {
  if (request.idempotencyKey !== null) {
    const params = [request.agentId, request.idempotencyKey];
    const id = maybe(
      textValue,
      db.get('SELECT request_id AS value FROM idempotency_keys WHERE agent_id = ? AND key = ?', params),
    );
    if (id !== null) {
      const bodyHash = textValue(
        db.get('SELECT body_hash AS value FROM idempotency_keys WHERE agent_id = ? AND key = ?', params),
      );
      return bodyHash === request.bodyHash
        ? { kind: 'existing', request: requireRequest(db, id) }
        : { kind: 'conflict' };
    }
  }
  return null;
}

/**
 * The cards that count toward the cap. One that the agent took back keeps its place until it would have expired: else
 * asking and cancelling by turns would put cards before the owner without end.
 */
function cardsOf(db: Sqlite, { agentId, createdAt }: NewRequest): Readonly<{ pending: number; cancelled: number }> {
  const pending = db.get('SELECT pending_requests AS value FROM agents WHERE id = ?', [agentId]);
  // The state stands in the text for the partial index, as in `requestsIn`.
  const cancelled = db.get(
    "SELECT count(*) AS value FROM requests WHERE status = 'cancelled' AND agent_id = ? AND expires_at > ?",
    [agentId, createdAt],
  );
  return { pending: intValue(pending), cancelled: intValue(cancelled) };
}

export function requestRecords(context: StoreContext, liveTrust: Records['liveTrust']): RequestRecords {
  const { db, relaxed, audit } = context;

  const rememberKey = (request: NewRequest, requestId: string) => {
    if (request.idempotencyKey !== null) {
      db.run('INSERT INTO idempotency_keys (agent_id, key, body_hash, request_id) VALUES (?, ?, ?, ?)', [
        request.agentId,
        request.idempotencyKey,
        request.bodyHash,
        requestId,
      ]);
    }
  };

  /** The trust entry, if it still holds now; a card is the answer to every doubt. */
  const heldTrust = (request: NewRequest) => {
    const live = request.trust === null ? null : liveTrust(request.trustKey, request.createdAt);
    return live !== null && live.id === request.trust?.entryId && live.agentId === request.agentId ? live : null;
  };

  return {
    insertRequest: (request) =>
      db.write((): NewRequestResult => {
        const answered = answeredAlready(db, request);
        if (answered !== null) {
          return answered;
        }
        const trust = heldTrust(request);
        if (trust === null) {
          const same = maybe(
            requestRow,
            db.get("SELECT * FROM requests WHERE manifest_digest = ? AND agent_id = ? AND status = 'pending'", [
              request.manifestDigest,
              request.agentId,
            ]),
          );
          if (same !== null) {
            rememberKey(request, same.id);
            return { kind: 'existing', request: same };
          }
          const cards = cardsOf(db, request);
          if (cards.pending + cards.cancelled >= request.pendingCap) {
            return { kind: 'over_cap', ...cards };
          }
        }
        const { manifest } = request;
        db.run('INSERT INTO code_blobs (sha256, bytes, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING', [
          manifest.code.sha256,
          request.code,
          request.createdAt,
        ]);
        insertManifest(db, manifest, request.manifestDigest, request.createdAt);
        const record: RequestRecord = {
          id: request.id,
          agentId: request.agentId,
          skillId: request.skillId,
          status: trust === null ? 'pending' : 'approved',
          manifestDigest: request.manifestDigest,
          trustKey: request.trustKey,
          codeHash: manifest.code.sha256,
          idempotencyKey: request.idempotencyKey,
          bodyHash: request.bodyHash,
          createdAt: request.createdAt,
          expiresAt: request.expiresAt,
          decidedAt: trust === null ? null : request.createdAt,
          decision: trust?.level ?? null,
          decidedBy: trust?.principal ?? null,
          denyReason: null,
          startedAt: null,
          finishedAt: null,
          approvalId: trust?.id ?? null,
          trusted: trust !== null,
          requestBindings: {},
          error: null,
          resultFetchedAt: null,
        };
        db.run(
          `INSERT INTO requests (id, agent_id, skill_id, status, manifest_digest, trust_key, code_hash, idempotency_key,
             body_hash, created_at, expires_at, decided_at, decision, decided_by, approval_id, trusted)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          [
            record.id,
            record.agentId,
            record.skillId,
            record.status,
            record.manifestDigest,
            record.trustKey,
            record.codeHash,
            record.idempotencyKey,
            record.bodyHash,
            record.createdAt,
            record.expiresAt,
            record.decidedAt,
            record.decision,
            record.decidedBy,
            record.approvalId,
            trust === null ? 0 : 1,
          ],
        );
        rememberKey(request, record.id);
        audit.append(
          {
            actor: `agent:${record.agentId}`,
            kind: trust === null ? 'request.created' : 'request.trusted',
            requestId: record.id,
            payload: {
              skill_id: record.skillId,
              manifest_digest: record.manifestDigest,
              trust_key: record.trustKey,
              code_hash: record.codeHash,
              ...(trust === null ? {} : { trust_id: trust.id }),
            },
          },
          record.createdAt,
        );
        return { kind: 'created', request: record };
      }),

    requestByIdempotencyKey: (agentId, key) =>
      maybe(
        requestRow,
        db.get(
          `SELECT requests.* FROM idempotency_keys JOIN requests ON requests.id = idempotency_keys.request_id
           WHERE idempotency_keys.agent_id = ? AND idempotency_keys.key = ?`,
          [agentId, key],
        ),
      ),
    request: (id) => findRequest(db, id),
    requests: ({ status, agentId, limit, beforeCreatedAt }) =>
      db
        .all(
          `SELECT * FROM requests
           WHERE created_at < @before AND (@status IS NULL OR status = @status) AND (@agent IS NULL OR agent_id = @agent)
           ORDER BY created_at DESC, rowid DESC LIMIT @limit`,
          { before: beforeCreatedAt ?? Number.MAX_SAFE_INTEGER, status: status ?? null, agent: agentId ?? null, limit },
        )
        .map(requestRow),
    requestPage(statuses, { agentId, limit, after }) {
      // By time and row: many requests may have come in the same millisecond.
      const place = (column: string): number | null =>
        after === undefined
          ? Number.MAX_SAFE_INTEGER
          : maybe(intValue, db.get(`SELECT ${column} AS value FROM requests WHERE id = ?`, [after]));
      return db
        .all(
          `SELECT * FROM requests
           WHERE (created_at, rowid) < (@at, @row) AND (@agent IS NULL OR agent_id = @agent)
             AND status IN (SELECT value FROM json_each(@statuses))
           ORDER BY created_at DESC, rowid DESC LIMIT @limit`,
          {
            statuses: JSON.stringify(statuses),
            agent: agentId ?? null,
            at: place('created_at'),
            row: place('rowid'),
            limit,
          },
        )
        .map(requestRow);
    },
    pendingRequests: () => requestsIn(db, 'pending'),

    manifest(digest) {
      const stored = maybe(textValue, db.get('SELECT json AS value FROM manifests WHERE digest = ?', [digest]));
      return stored === null ? null : parseManifest(stored);
    },
    code: (sha256) => maybe(bytesValue, db.get('SELECT bytes AS value FROM code_blobs WHERE sha256 = ?', [sha256])),
    result: (requestId) =>
      maybe(resultValue, db.get('SELECT result AS value FROM executions WHERE request_id = ?', [requestId])),
    egressOf(requestId) {
      relaxed.flush();
      return db.all('SELECT * FROM egress_log WHERE request_id = ? ORDER BY id', [requestId]).map(egressRow);
    },

    replaceManifest: (requestId, change, event, nowMs) =>
      db.write(() => {
        const request = findRequest(db, requestId);
        if (request?.status !== 'pending') {
          return false;
        }
        insertManifest(db, change.manifest, change.manifestDigest, nowMs);
        db.run(
          `UPDATE requests SET manifest_digest = ?, trust_key = ?, request_bindings = ?
           WHERE id = ? AND status = 'pending'`,
          [
            change.manifestDigest,
            change.trustKey,
            JSON.stringify(change.requestBindings ?? request.requestBindings),
            requestId,
          ],
        );
        audit.append({ ...event, requestId }, nowMs);
        return true;
      }),

    lastApproved: (agentId, skillId, exceptRequestId) =>
      maybe(
        requestRow,
        db.get(
          `SELECT * FROM requests WHERE agent_id = ? AND skill_id = ? AND approval_id IS NOT NULL AND id <> ?
           ORDER BY decided_at DESC, rowid DESC LIMIT 1`,
          [agentId, skillId, exceptRequestId],
        ),
      ),
  };
}

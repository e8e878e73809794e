import { randomBytes } from 'node:crypto';
import { CodedError } from '../../contract/errors.ts';
import { makeId } from '../core/ids.ts';
import type { DecisionInput, DecisionWritten, Records, RequestRecord } from '../core/records.ts';
import type { StoreContext } from './context.ts';
import { decisionValue } from './requestRows.ts';
import { findRequest, insertManifest, requestsIn, requireRequest } from './requests.ts';
import { writeBinding } from './secrets.ts';
import { insertApproval } from './trust.ts';
import { queueWake } from './wake.ts';

export type DecisionRecords = Pick<
  Records,
  'decide' | 'latestDecisions' | 'cancelRequest' | 'expireRequests' | 'extendRequest'
>;

/** How a pending request leaves that state: by the owner, by its agent, by its time. One of them wins, once. */
export function decisionRecords(context: StoreContext): DecisionRecords {
  const { db, audit } = context;

  return {
    decide: (input) =>
      db.write((): DecisionWritten => {
        const refused = whyNot(findRequest(db, input.requestId), input);
        if (refused !== null) {
          return refused;
        }
        if (input.decision === 'deny') {
          deny(context, input);
        } else {
          approve(context, input);
        }
        return { kind: 'decided', request: requireRequest(db, input.requestId) };
      }),

    // By the order of writing, so that SQLite walks back from the newest and stops, without an index or a sort.
    latestDecisions: (agentId, limit) =>
      db
        .all(
          `SELECT decisions.decision AS value FROM decisions CROSS JOIN requests ON requests.id = decisions.request_id
           WHERE requests.agent_id = ? ORDER BY decisions.rowid DESC LIMIT ?`,
          [agentId, limit],
        )
        .map(decisionValue),

    cancelRequest: (requestId, nowMs) =>
      db.write(() => {
        const changed = db.run(
          "UPDATE requests SET status = 'cancelled', finished_at = ? WHERE id = ? AND status = 'pending'",
          [nowMs, requestId],
        );
        if (changed !== 1) {
          return 'not_pending';
        }
        const { agentId } = requireRequest(db, requestId);
        audit.append({ actor: `agent:${agentId}`, kind: 'request.cancelled', requestId, payload: {} }, nowMs);
        return 'cancelled';
      }),

    expireRequests: (nowMs, wakeText) => {
      // Asked every few seconds: look first, and write only when there is something to end.
      if (db.get("SELECT 1 FROM requests WHERE status = 'pending' AND expires_at <= ?", [nowMs]) === undefined) {
        return [];
      }
      return db.write(() => {
        const due = requestsIn(db, 'pending').filter((request) => request.expiresAt <= nowMs);
        return due.map(({ id }) => {
          db.run("UPDATE requests SET status = 'expired', finished_at = ? WHERE id = ? AND status = 'pending'", [
            nowMs,
            id,
          ]);
          audit.append({ actor: 'broker', kind: 'request.expired', requestId: id, payload: {} }, nowMs);
          const expired = requireRequest(db, id);
          queueWake(db, expired, wakeText(expired), nowMs);
          return expired;
        });
      });
    },

    extendRequest: (requestId, expiresAt, actor, nowMs) =>
      db.write(() => {
        const changed = db.run(
          "UPDATE requests SET expires_at = ? WHERE id = ? AND status = 'pending' AND expires_at > ?",
          [expiresAt, requestId, nowMs],
        );
        if (changed === 1) {
          audit.append({ actor, kind: 'request.extended', requestId, payload: { expires_at: expiresAt } }, nowMs);
        }
        return changed === 1;
      }),
  };
}

function whyNot(request: RequestRecord | null, input: DecisionInput): DecisionWritten | null {
  if (request === null) {
    return { kind: 'unknown' };
  }
  if (request.status !== 'pending') {
    return { kind: 'ended', request };
  }
  if (request.expiresAt <= input.nowMs) {
    // Its time is over, even if the timer that writes so has not come by yet.
    return { kind: 'ended', request: { ...request, status: 'expired' } };
  }
  return request.manifestDigest === input.manifestDigest ? null : { kind: 'stale', request };
}

/** The compare-and-set of DESIGN: exactly one row, still pending, in time, and with the digest that was on the card. */
function takePending(context: StoreContext, input: DecisionInput, status: 'approved' | 'denied'): void {
  const { requestId, decision, principal, nowMs } = input;
  const changed = context.db.run(
    `UPDATE requests SET status = ?, decided_at = ?, decision = ?, decided_by = ?
     WHERE id = ? AND status = 'pending' AND expires_at > ? AND manifest_digest = ?`,
    [status, nowMs, decision, principal, requestId, nowMs, input.manifestDigest],
  );
  if (changed !== 1) {
    throw new Error('The request left its state inside our own transaction.');
  }
  context.db.run(
    `INSERT INTO decisions (id, request_id, decision, principal, at, deny_reason, manifest_digest)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    [makeId('dec', randomBytes), requestId, decision, principal, nowMs, input.denyReason ?? null, input.manifestDigest],
  );
}

function deny(context: StoreContext, input: DecisionInput): void {
  const { requestId, principal, nowMs, denyReason } = input;
  takePending(context, input, 'denied');
  context.db.run('UPDATE requests SET finished_at = ?, deny_reason = ? WHERE id = ?', [
    nowMs,
    denyReason ?? null,
    requestId,
  ]);
  context.audit.append(
    {
      actor: principal,
      kind: 'request.denied',
      requestId,
      payload: { manifest_digest: input.manifestDigest, reason: denyReason ?? null },
    },
    nowMs,
  );
  if (input.wakeText !== undefined) {
    queueWake(context.db, requireRequest(context.db, requestId), input.wakeText, nowMs);
  }
}

function approve(context: StoreContext, input: DecisionInput): void {
  const { db, audit, seal } = context;
  const { requestId, principal, nowMs, standing, decision } = input;
  if (decision === 'deny' || (decision === 'once') !== (standing === undefined)) {
    throw new Error('A standing decision carries what it stands for, and no other does.');
  }
  if (standing !== undefined && !seal.ready) {
    throw new CodedError('vault_locked', 'Trust is sealed with a key of the vault, and the vault is locked.', {
      hint: 'Unlock the vault, then decide again.',
    });
  }
  takePending(context, input, 'approved');
  const request = requireRequest(db, requestId);
  if (standing !== undefined) {
    for (const { secretId, hosts } of standing.keepBindings) {
      writeBinding(
        context,
        secretId,
        ({ binding }) => ({
          hosts: [...new Set([...binding.hosts, ...hosts])].sort(),
          places: binding.places,
          source: 'owner',
        }),
        principal,
        nowMs,
      );
    }
    insertManifest(db, standing.manifest, standing.manifestDigest, nowMs);
  }
  const manifestDigest = standing?.manifestDigest ?? request.manifestDigest;
  const trustKey = standing?.trustKey ?? request.trustKey;
  insertApproval(context, {
    id: input.approvalId,
    trustKey,
    agentId: request.agentId,
    skillId: request.skillId,
    codeHash: request.codeHash,
    level: decision,
    argsPolicy: standing?.argsPolicy ?? 'exact',
    principal,
    requestId,
    manifestDigest,
    approvedAt: nowMs,
    expiresAt: standing?.expiresAt ?? null,
  });
  db.run('UPDATE requests SET approval_id = ?, manifest_digest = ?, trust_key = ? WHERE id = ?', [
    input.approvalId,
    manifestDigest,
    trustKey,
    requestId,
  ]);
  audit.append(
    {
      actor: principal,
      kind: 'request.approved',
      requestId,
      payload: {
        decision,
        approval_id: input.approvalId,
        shown_digest: input.manifestDigest,
        manifest_digest: manifestDigest,
        trust_key: trustKey,
        args_policy: standing?.argsPolicy ?? 'exact',
        expires_at: standing?.expiresAt ?? null,
      },
    },
    nowMs,
  );
}

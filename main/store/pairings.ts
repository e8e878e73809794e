import type { Records } from '../core/records.ts';
import { insertAgent } from './agents.ts';
import type { StoreContext } from './context.ts';
import { maybe } from './rowParser.ts';
import { pairingRow } from './rows.ts';

export type PairingRecords = Pick<
  Records,
  'addPairing' | 'pairing' | 'pendingPairings' | 'decidePairing' | 'collectPairing'
>;

export function pairingRecords(context: StoreContext): PairingRecords {
  const { db, audit } = context;
  const find = (id: string) => maybe(pairingRow, db.get('SELECT * FROM pairings WHERE id = ?', [id]));

  return {
    addPairing: ({ id, name, code, status, createdAt, expiresAt, agentId }) =>
      db.write(() => {
        db.run(
          `INSERT INTO pairings (id, name, code, status, created_at, expires_at, agent_id) VALUES (?, ?, ?, ?, ?, ?, ?)`,
          [id, name, code, status, createdAt, expiresAt, agentId],
        );
        audit.append({ actor: 'broker', kind: 'pairing.asked', payload: { pairing_id: id, name } }, createdAt);
      }),
    pairing: find,
    pendingPairings: () =>
      db.all("SELECT * FROM pairings WHERE status = 'pending' ORDER BY created_at, rowid").map(pairingRow),

    decidePairing: (id, next, agent, actor, nowMs) =>
      db.write(() => {
        const pairing = find(id);
        if (pairing?.status !== 'pending' || (next !== 'expired' && pairing.expiresAt <= nowMs)) {
          return false;
        }
        if ((next === 'approved') !== (agent !== null)) {
          throw new Error('An approved pairing brings an agent, and no other does.');
        }
        if (agent !== null) {
          insertAgent(context, agent, actor, nowMs);
        }
        const changed = db.run("UPDATE pairings SET status = ?, agent_id = ? WHERE id = ? AND status = 'pending'", [
          next,
          agent?.id ?? null,
          id,
        ]);
        audit.append(
          { actor, kind: `pairing.${next}`, payload: { pairing_id: id, agent_id: agent?.id ?? null } },
          nowMs,
        );
        return changed === 1;
      }),

    collectPairing: (id, tokenSha256, nowMs) =>
      db.write(() => {
        const changed = db.run("UPDATE pairings SET status = 'collected' WHERE id = ? AND status = 'approved'", [id]);
        const agentId = find(id)?.agentId ?? null;
        if (changed !== 1 || agentId === null) {
          return false;
        }
        // The token is made when it is handed over, so that it never rests anywhere.
        db.run('UPDATE agents SET token_sha256 = ? WHERE id = ? AND revoked_at IS NULL', [tokenSha256, agentId]);
        audit.append(
          { actor: `agent:${agentId}`, kind: 'pairing.collected', payload: { pairing_id: id, agent_id: agentId } },
          nowMs,
        );
        return true;
      }),
  };
}

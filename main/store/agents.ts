import { CodedError } from '../../contract/errors.ts';
import type { Principal } from '../../contract/states.ts';
import type { AgentRecord, Records } from '../core/records.ts';
import type { StoreContext } from './context.ts';
import { intValue, maybe, textValue } from './rowParser.ts';
import { agentRow } from './rows.ts';

export type AgentRecords = Pick<
  Records,
  | 'agentByTokenHash'
  | 'agent'
  | 'agentByName'
  | 'agents'
  | 'addAgent'
  | 'setAgentPaused'
  | 'rotateAgentToken'
  | 'revokeAgent'
  | 'touchAgent'
>;

type NewAgent = Readonly<{ id: string; name: string; tokenSha256: string }>;

/** Adds the agent inside the caller's transaction; pairing does so together with its own row. */
export function insertAgent(
  { db, audit }: StoreContext,
  agent: NewAgent,
  actor: Principal,
  nowMs: number,
): AgentRecord {
  if (db.get('SELECT 1 FROM agents WHERE name = ? AND revoked_at IS NULL', [agent.name]) !== undefined) {
    throw new CodedError('already_exists', 'An agent with this name exists already.', {
      hint: 'Choose another name, or revoke the other agent first.',
    });
  }
  db.run('INSERT INTO agents (id, name, token_sha256, created_at) VALUES (?, ?, ?, ?)', [
    agent.id,
    agent.name,
    agent.tokenSha256,
    nowMs,
  ]);
  audit.append({ actor, kind: 'agent.added', payload: { agent_id: agent.id, name: agent.name } }, nowMs);
  return { ...agent, pausedAt: null, revokedAt: null, createdAt: nowMs, lastSeenAt: null };
}

export function agentRecords(context: StoreContext): AgentRecords {
  const { db, relaxed, audit } = context;

  /** A change of a live agent with its audit event, or `not_found`. */
  const change = (
    sql: string,
    value: string | number | null,
    id: string,
    event: Readonly<{ kind: string; actor: Principal; nowMs: number }>,
  ) =>
    db.write(() => {
      if (db.run(`UPDATE agents SET ${sql} = ? WHERE id = ? AND revoked_at IS NULL`, [value, id]) !== 1) {
        throw unknownAgent();
      }
      audit.append({ actor: event.actor, kind: event.kind, payload: { agent_id: id } }, event.nowMs);
    });

  return {
    agentByTokenHash: (sha256) =>
      maybe(agentRow, db.get('SELECT * FROM agents WHERE token_sha256 = ? AND revoked_at IS NULL', [sha256])),
    agent: (id) => maybe(agentRow, db.get('SELECT * FROM agents WHERE id = ?', [id])),
    agentByName: (name) =>
      maybe(agentRow, db.get('SELECT * FROM agents WHERE name = ? AND revoked_at IS NULL', [name])),
    agents() {
      relaxed.flush();
      return db.all('SELECT * FROM agents ORDER BY created_at, rowid').map(agentRow);
    },

    addAgent: (agent, actor, nowMs) => db.write(() => insertAgent(context, agent, actor, nowMs)),
    setAgentPaused: (id, paused, actor, nowMs) =>
      change('paused_at', paused ? nowMs : null, id, { kind: paused ? 'agent.paused' : 'agent.resumed', actor, nowMs }),
    rotateAgentToken: (id, tokenSha256, actor, nowMs) =>
      change('token_sha256', tokenSha256, id, { kind: 'agent.token_rotated', actor, nowMs }),

    revokeAgent: (id, actor, nowMs) =>
      db.write(() => {
        const waiting = db
          .all("SELECT id AS value FROM requests WHERE agent_id = ? AND status = 'pending' ORDER BY created_at", [id])
          .map(textValue);
        const trust = intValue(
          db.get(
            `SELECT count(*) AS value FROM approvals
             WHERE agent_id = ? AND trust_level IN ('24h', 'forever') AND revoked_at IS NULL`,
            [id],
          ),
        );
        if (db.run('UPDATE agents SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL', [nowMs, id]) !== 1) {
          throw unknownAgent();
        }
        db.run(
          `UPDATE approvals SET revoked_at = ?, mac = NULL
           WHERE agent_id = ? AND trust_level IN ('24h', 'forever') AND revoked_at IS NULL`,
          [nowMs, id],
        );
        audit.append(
          { actor, kind: 'agent.revoked', payload: { agent_id: id, trust_revoked: trust, cancelled: waiting.length } },
          nowMs,
        );
        for (const requestId of waiting) {
          db.run("UPDATE requests SET status = 'cancelled', finished_at = ? WHERE id = ? AND status = 'pending'", [
            nowMs,
            requestId,
          ]);
          audit.append({ actor, kind: 'request.cancelled', requestId, payload: { reason: 'agent_revoked' } }, nowMs);
        }
        return waiting;
      }),

    touchAgent: (id, nowMs) =>
      relaxed.later((quick) => {
        quick.run('UPDATE agents SET last_seen_at = ? WHERE id = ?', [nowMs, id]);
      }),
  };
}

function unknownAgent(): CodedError {
  return new CodedError('not_found', 'There is no such agent.', { hint: 'List the agents to see their names.' });
}

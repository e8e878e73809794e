import { z } from 'zod';
import { deliverySchema, subjectSchema, trustLevelSchema } from '../../contract/states.ts';
import type {
  AgentRecord,
  AuditEvent,
  CardRow,
  NonceRow,
  PairingRecord,
  SecretRecord,
  SecretUse,
  TrustEntry,
} from '../core/records.ts';
import { placesSchema } from './manifestRow.ts';
import { bytes, int, json, maybeInt, maybeText, principalSchema, type Row, row, text, textList } from './rowParser.ts';

export const agentRow: Row<AgentRecord> = row(
  z
    .object({
      id: text,
      name: text,
      token_sha256: text,
      paused_at: maybeInt,
      revoked_at: maybeInt,
      created_at: int,
      last_seen_at: maybeInt,
    })
    .transform((agent) => ({
      id: agent.id,
      name: agent.name,
      tokenSha256: agent.token_sha256,
      pausedAt: agent.paused_at,
      revokedAt: agent.revoked_at,
      createdAt: agent.created_at,
      lastSeenAt: agent.last_seen_at,
    })),
);

export const secretUseRow: Row<SecretUse> = row(
  z.object({ secret_id: text, agent_id: text, skill_id: text, runs: int, last_at: int }).transform((use) => ({
    secretId: use.secret_id,
    agentId: use.agent_id,
    skillId: use.skill_id,
    runs: use.runs,
    lastAt: use.last_at,
  })),
);

export const secretRow: Row<SecretRecord> = row(
  z
    .object({
      id: text,
      name: text,
      version: int,
      delivery: deliverySchema,
      created_at: int,
      updated_at: int,
      last_used_at: maybeInt,
      binding_revision: int,
      hosts: textList,
      places: json(placesSchema),
      source: z.enum(['owner', 'table']),
    })
    .transform((secret) => ({
      id: secret.id,
      name: secret.name,
      version: secret.version,
      delivery: secret.delivery,
      createdAt: secret.created_at,
      updatedAt: secret.updated_at,
      lastUsedAt: secret.last_used_at,
      binding: {
        revision: secret.binding_revision,
        hosts: secret.hosts,
        places: secret.places,
        source: secret.source,
      },
    })),
);

export const encryptedSecretRow = row(z.object({ id: text, name: text, version: int, bytes }));

export type TrustRow = Readonly<{ entry: TrustEntry; mac: string | null }>;
export const trustRow: Row<TrustRow> = row(
  z
    .object({
      id: text,
      trust_key: text,
      agent_id: text,
      skill_id: text,
      code_hash: text,
      trust_level: trustLevelSchema,
      args_policy: z.enum(['exact', 'any']),
      principal: principalSchema,
      request_id: text,
      manifest_digest: text,
      approved_at: int,
      expires_at: maybeInt,
      revoked_at: maybeInt,
      suspended_at: maybeInt,
      suspend_reason: maybeText,
      last_used_at: maybeInt,
      use_count: int,
      mac: maybeText,
    })
    .transform((trust) => ({
      mac: trust.mac,
      entry: {
        id: trust.id,
        trustKey: trust.trust_key,
        agentId: trust.agent_id,
        skillId: trust.skill_id,
        codeHash: trust.code_hash,
        level: trust.trust_level,
        argsPolicy: trust.args_policy,
        principal: trust.principal,
        requestId: trust.request_id,
        manifestDigest: trust.manifest_digest,
        approvedAt: trust.approved_at,
        expiresAt: trust.expires_at,
        revokedAt: trust.revoked_at,
        suspendedAt: trust.suspended_at,
        suspendReason: trust.suspend_reason,
        lastUsedAt: trust.last_used_at,
        useCount: trust.use_count,
      },
    })),
);

export const cardRow: Row<CardRow> = row(
  z
    .object({
      subject: subjectSchema,
      subject_id: text,
      channel: text,
      reference: json(z.record(text, z.union([text, z.number()]))),
    })
    .transform((card) => ({
      subject: card.subject,
      subjectId: card.subject_id,
      channel: card.channel,
      reference: card.reference,
    })),
);

export const nonceRow: Row<NonceRow> = row(
  z
    .object({ nonce: text, subject: subjectSchema, subject_id: text, revision: text, action: text })
    .transform(({ subject_id, ...rest }) => ({ ...rest, subjectId: subject_id })),
);

export const pairingRow: Row<PairingRecord> = row(
  z
    .object({
      id: text,
      name: text,
      code: text,
      status: z.enum(['pending', 'approved', 'denied', 'expired', 'collected']),
      created_at: int,
      expires_at: int,
      agent_id: maybeText,
    })
    .transform((pairing) => ({
      id: pairing.id,
      name: pairing.name,
      code: pairing.code,
      status: pairing.status,
      createdAt: pairing.created_at,
      expiresAt: pairing.expires_at,
      agentId: pairing.agent_id,
    })),
);

/** An event with what the chain says about it; `payloadText` is null once it was pruned. */
export type AuditRow = Readonly<{
  event: AuditEvent;
  payloadText: string | null;
  payloadHash: string;
  prevHash: string;
}>;
export const auditRow: Row<AuditRow> = row(
  z
    .object({
      seq: int,
      at: int,
      actor: text,
      kind: text,
      request_id: maybeText,
      payload: maybeText,
      payload_hash: text,
      prev_hash: text,
      hash: text,
    })
    .transform((audit) => ({
      event: {
        seq: audit.seq,
        at: audit.at,
        actor: audit.actor,
        kind: audit.kind,
        requestId: audit.request_id,
        payload: readPayload(audit.payload),
        hash: audit.hash,
      },
      payloadText: audit.payload,
      payloadHash: audit.payload_hash,
      prevHash: audit.prev_hash,
    })),
);

/** A payload that somebody broke must not keep the rest of the log from being read; `verifyAudit` names it. */
function readPayload(stored: string | null): unknown {
  if (stored === null) {
    return null;
  }
  try {
    return JSON.parse(stored);
  } catch {
    return { unreadable: stored };
  }
}

export const linkRow = row(z.object({ seq: int, hash: text }));
export const sealRow = row(z.object({ seq: int, hash: text, mac: text }));

export const slotRow = row(
  z.object({
    id: text,
    protector: text,
    wrapped: bytes,
    params: json(z.record(text, z.union([text, z.number()]))),
  }),
);

import { z } from 'zod';
import { requestStateSchema, trustLevelSchema } from '../../contract/states.ts';
import type { EgressRecord, RequestRecord, RunResult, WakeItem } from '../core/records.ts';
import {
  flag,
  int,
  json,
  maybeInt,
  maybeText,
  principalSchema,
  type Row,
  row,
  single,
  text,
  textList,
} from './rowParser.ts';

const decision = z.union([trustLevelSchema, z.literal('deny')]);
/** Of a query whose one column is `value`. */
export const decisionValue: Row<z.infer<typeof decision>> = single(decision);

export const requestRow: Row<RequestRecord> = row(
  z
    .object({
      id: text,
      agent_id: text,
      skill_id: text,
      status: requestStateSchema,
      manifest_digest: text,
      trust_key: text,
      code_hash: text,
      idempotency_key: maybeText,
      body_hash: text,
      created_at: int,
      expires_at: int,
      decided_at: maybeInt,
      decision: decision.nullable(),
      decided_by: principalSchema.nullable(),
      deny_reason: maybeText,
      started_at: maybeInt,
      finished_at: maybeInt,
      approval_id: maybeText,
      trusted: flag,
      request_bindings: json(z.record(text, z.array(text))),
      error_code: maybeText,
      error_message: maybeText,
      result_fetched_at: maybeInt,
    })
    .transform((request) => ({
      id: request.id,
      agentId: request.agent_id,
      skillId: request.skill_id,
      status: request.status,
      manifestDigest: request.manifest_digest,
      trustKey: request.trust_key,
      codeHash: request.code_hash,
      idempotencyKey: request.idempotency_key,
      bodyHash: request.body_hash,
      createdAt: request.created_at,
      expiresAt: request.expires_at,
      decidedAt: request.decided_at,
      decision: request.decision,
      decidedBy: request.decided_by,
      denyReason: request.deny_reason,
      startedAt: request.started_at,
      finishedAt: request.finished_at,
      approvalId: request.approval_id,
      trusted: request.trusted,
      requestBindings: request.request_bindings,
      error: request.error_code === null ? null : { code: request.error_code, message: request.error_message ?? '' },
      resultFetchedAt: request.result_fetched_at,
    })),
);

const runResult: z.ZodType<RunResult> = z.object({
  stdout: text,
  stderr: text,
  exitCode: maybeInt,
  signal: maybeText,
  durationMs: z.number(),
  timedOut: z.boolean(),
  truncated: z.boolean(),
  redactions: int,
});
export const resultValue: Row<RunResult | null> = single(json(runResult).nullable());

export const egressRow: Row<EgressRecord> = row(
  z
    .object({
      request_id: text,
      at: int,
      method: text,
      host: text,
      port: int,
      path: text,
      status: int,
      bytes_in: int,
      bytes_out: int,
      duration_ms: int,
      secrets: textList,
      refused: maybeText,
      placeholder_in_body: flag,
    })
    .transform((egress) => ({
      requestId: egress.request_id,
      at: egress.at,
      method: egress.method,
      host: egress.host,
      port: egress.port,
      path: egress.path,
      status: egress.status,
      bytesIn: egress.bytes_in,
      bytesOut: egress.bytes_out,
      durationMs: egress.duration_ms,
      secrets: egress.secrets,
      refused: egress.refused,
      placeholderInBody: egress.placeholder_in_body,
    })),
);

export const wakeRow: Row<WakeItem> = row(
  z
    .object({
      id: text,
      request_id: text,
      agent_id: text,
      text,
      kind: z.enum(['final', 'reminder']),
      attempts: int,
      next_at: int,
      created_at: int,
    })
    .transform((wake) => ({
      id: wake.id,
      requestId: wake.request_id,
      agentId: wake.agent_id,
      text: wake.text,
      kind: wake.kind,
      attempts: wake.attempts,
      nextAt: wake.next_at,
      createdAt: wake.created_at,
    })),
);

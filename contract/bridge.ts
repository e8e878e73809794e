import { z } from 'zod';
import { isolationSchema, runtimeSchema } from './runtime.ts';
import type { RequestState, TrustLevel, VaultState } from './states.ts';

/** Wire shapes of the agent bridge (INTERFACES 1). Unknown keys are refused, nothing is clamped. */
const KIB = 1024;
export const MAX_BODY_BYTES = 1024 * KIB;
export const MAX_CODE_BYTES = 256 * KIB;
export const MAX_ARGS_BYTES = 64 * KIB;
export const MAX_WAIT_SECONDS = 60;

export const skillIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9._\-/@]{1,128}$/, 'must be 1 to 128 letters, digits or . _ - / @');
/** What an agent proves itself with: 256 random bits. */
export const agentTokenShape = /^oa3_[0-9A-Za-z]{43}$/;

export const secretNameSchema = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'must be letters, digits and underscores, not starting with a digit');

const secretNames = z.array(secretNameSchema).max(64);
const networkEntries = z.array(z.string().min(1).max(300)).max(64);

export const metadataSchema = z.strictObject({
  description: z.string().max(2000).optional(),
  secrets: secretNames.optional(),
  network: networkEntries.optional(),
  /** Seconds. */
  timeout: z.number().min(1).max(600).optional(),
  runtime: runtimeSchema.optional(),
  memory_mb: z.number().int().min(64).max(2048).optional(),
  cpus: z.number().min(0.1).max(2).optional(),
  isolation: isolationSchema.optional(),
});

/** What a run gets that asks for nothing else. Containers that stand ready have these, so most runs change nothing. */
export const defaultLimits = { timeoutSeconds: 30, memoryMb: 256, cpus: 0.5 } as const;

export const executeBodySchema = z.strictObject({
  skill_id: skillIdSchema,
  skill_url: z.string().min(1).max(2048).optional(),
  code: z.string().min(1).optional(),
  secrets: secretNames.optional(),
  args: z.record(z.string(), z.json()).optional(),
  idempotency_key: z.string().min(1).max(200).optional(),
  async: z.boolean().optional(),
  metadata: metadataSchema.optional(),
});
export type ExecuteBody = z.infer<typeof executeBodySchema>;

export const pairBodySchema = z.strictObject({ name: z.string().min(1).max(64) });

export type ExecuteAnswer =
  | Readonly<{ status: 'pending'; request_id: string; message: string; expires_at: string; missing_secrets?: string[] }>
  | Readonly<{ status: 'running'; request_id: string; message: string }>
  | Readonly<{
      status: 'success' | 'failed';
      request_id: string;
      stdout: string;
      stderr: string;
      duration: number;
      exit_code: number | null;
      /** False only when a repeated idempotency key asks for what the owner approved by hand. */
      trusted: boolean;
      timed_out?: true;
      truncated?: true;
      /** Why it failed when there was no run. */
      error?: Readonly<{ code: string; message: string }>;
    }>;

export type EgressView = Readonly<{
  method: string;
  host: string;
  path: string;
  status: number;
  bytes_in: number;
  bytes_out: number;
  duration: number;
  secrets: readonly string[];
  /** Why the gateway said no, or cut it; left out when it did not. */
  refused?: string;
}>;

export type ResultView = Readonly<{
  stdout: string;
  stderr: string;
  exit_code: number | null;
  signal?: string;
  duration: number;
  timed_out: boolean;
  truncated: boolean;
  redactions: number;
  egress: readonly EgressView[];
}>;

export type RequestView = Readonly<{
  request_id: string;
  skill_id: string;
  status: RequestState;
  created_at: string;
  expires_at: string;
  decided_at?: string;
  decision?: TrustLevel | 'deny';
  deny_reason?: string;
  /** Only while approved: what the run still waits for, in a sentence. */
  waiting_for?: string;
  executed_at?: string;
  result?: ResultView;
  error?: Readonly<{ code: string; message: string }>;
}>;

/** `POST /pair`: the owner compares the code with the one on the card. */
export type PairAnswer = Readonly<{ pairing_id: string; code: string; expires_at: string }>;

/** `GET /pair/:id`: the token stands in the first answer after the approval, and never again. */
export type PairView = Readonly<{
  pairing_id: string;
  status: 'pending' | 'approved' | 'denied' | 'expired' | 'collected';
  agent_id?: string;
  token?: string;
}>;

/** `GET /health`; the optional part only with a valid token. */
export type HealthView = Readonly<{
  status: 'ok' | 'degraded';
  telegram: 'connected' | 'disconnected' | 'not_configured';
  database: 'ok' | 'error';
  vault?: VaultState;
  /** By isolation: `ready`, or what is missing. */
  sandbox?: Readonly<Record<string, string>>;
  version?: string;
}>;

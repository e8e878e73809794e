import { z } from 'zod';

/** `pending -> approved -> running -> success | failed`; the rest end a request early. */
export const requestStates = [
  'pending',
  'approved',
  'running',
  'success',
  'failed',
  'denied',
  'expired',
  'cancelled',
  'interrupted',
] as const;
export const requestStateSchema = z.enum(requestStates);
export type RequestState = z.infer<typeof requestStateSchema>;

const unfinished: readonly RequestState[] = ['pending', 'approved', 'running'];
export function isFinal(state: RequestState): boolean {
  return !unfinished.includes(state);
}

export const trustLevels = ['once', '24h', 'forever'] as const;
export const trustLevelSchema = z.enum(trustLevels);
export type TrustLevel = z.infer<typeof trustLevelSchema>;

/** What an owner can answer. `approve` belongs to subjects that are not a run (pairing, binding, LLM grant). */
export const verdicts = ['once', '24h', 'forever', 'approve', 'deny'] as const;
export const verdictSchema = z.enum(verdicts);
export type Verdict = z.infer<typeof verdictSchema>;

export const subjects = ['run', 'llm_grant', 'pairing', 'secret_wanted', 'binding'] as const;
export const subjectSchema = z.enum(subjects);
export type Subject = z.infer<typeof subjectSchema>;

export const vaultStates = ['uninitialized', 'locked', 'unlocking', 'unlocked'] as const;
export type VaultState = (typeof vaultStates)[number];

export const deliveries = ['placeholder', 'raw'] as const;
export const deliverySchema = z.enum(deliveries);
export type Delivery = z.infer<typeof deliverySchema>;

/** Who acts for the owner: `desktop`, `cli`, `telegram:<user id>`; `broker` is our own doing (expiry, restart). */
export type Principal = 'desktop' | 'cli' | 'broker' | `telegram:${number}`;

import type { AuditInput } from '../core/records.ts';

/** Something that was not followed: who, where, what it was, and why. */
export type Refusal = Readonly<{ userId: number | null; chatId: number | null; what: string; reason: string }>;

const SAME_MS = 60_000;
const HOUR_MS = 3_600_000;
const MAX_PER_HOUR = 200;

/** Audits refusals. The same one within a minute counts once, and nobody can fill the disk by knocking. */
export class Refusals {
  readonly #audit: (event: AuditInput) => void;
  readonly #clock: Readonly<{ monotonicMs(): number }>;
  readonly #recent = new Map<string, number>();

  constructor(audit: (event: AuditInput) => void, clock: Readonly<{ monotonicMs(): number }>) {
    this.#audit = audit;
    this.#clock = clock;
  }

  note(refusal: Refusal): void {
    const now = this.#clock.monotonicMs();
    for (const [key, at] of this.#recent) if (now - at > HOUR_MS) this.#recent.delete(key);
    const key = JSON.stringify(refusal);
    const last = this.#recent.get(key);
    if (last !== undefined && now - last < SAME_MS) return;
    if (this.#recent.size >= MAX_PER_HOUR && last === undefined) return;
    this.#recent.set(key, now);
    const actor = refusal.userId === null ? 'telegram' : `telegram:${refusal.userId}`;
    this.#audit({ actor, kind: 'telegram.refused', payload: refusal });
  }
}

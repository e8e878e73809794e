export type BucketRate = Readonly<{
  /** Takes that are possible at once. */
  capacity: number;
  /** How many come back each minute. */
  perMinute: number;
}>;

export type BucketVerdict = Readonly<{ ok: true }> | Readonly<{ ok: false; retryAfterSeconds: number }>;

// A bucket that is full again says nothing; beyond this many keys the oldest used ones are forgotten.
const maxKeys = 10_000;

/** Token buckets by key. The rate is given with each take, so that a changed setting counts at once. */
export class TokenBuckets {
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();

  /** Takes one token if there is one. `nowMs` is monotonic. */
  take(key: string, rate: BucketRate, nowMs: number): BucketVerdict {
    const known = this.#buckets.get(key);
    const refilled =
      known === undefined ? rate.capacity : known.tokens + ((nowMs - known.atMs) * rate.perMinute) / 60_000;
    const tokens = Math.min(rate.capacity, refilled);
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: nowMs });
    this.#forgetOldest();
    if (tokens >= 1) return { ok: true };
    return { ok: false, retryAfterSeconds: Math.max(1, Math.ceil(((1 - tokens) * 60) / rate.perMinute)) };
  }

  #forgetOldest(): void {
    if (this.#buckets.size <= maxKeys) return;
    const oldest = this.#buckets.keys().next();
    if (oldest.done !== true) this.#buckets.delete(oldest.value);
  }
}

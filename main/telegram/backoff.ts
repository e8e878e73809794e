/** Waits that double from `firstMs` up to `maxMs`. */
export type Backoff = Readonly<{ firstMs: number; maxMs: number }>;

export function backoffMs({ firstMs, maxMs }: Backoff, failures: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(20, Math.max(0, failures - 1)));
}

/** Resolves after `ms` or as soon as `signal` aborts; never rejects, keeps no process alive. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    timer.unref();
    signal.addEventListener('abort', done, { once: true });
  });
}

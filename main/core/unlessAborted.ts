/**
 * What `work` gives, or null when the signal fires first: `work` then goes on, and is the caller's to follow. Rejects as
 * `work` does. Leaves no listener behind on a signal that may live longer.
 */
export function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result | null> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve(null);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

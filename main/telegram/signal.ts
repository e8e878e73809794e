import type { Api } from 'grammy';

export type GrammySignal = NonNullable<Parameters<Api['getMe']>[0]>;

// grammY types its signals by a package for Nodes without AbortSignal; of ours it only needs `aborted` and the event.
const isGrammySignal = (signal: unknown): signal is GrammySignal => signal instanceof AbortSignal;

/** A signal for a call of grammY that ends after `timeoutMs` or with any of the given signals. */
export function callSignal(timeoutMs: number, ...others: readonly AbortSignal[]): GrammySignal {
  const signal: unknown = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...others]);
  if (!isGrammySignal(signal)) throw new TypeError('AbortSignal.any made no AbortSignal');
  return signal;
}

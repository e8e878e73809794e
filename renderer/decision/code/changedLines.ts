import { diffArrays } from 'diff';

/** A run of lines in the order of a diff; `same` counts in both texts. */
export type LineRun = Readonly<{ kind: 'same' | 'gone' | 'new'; count: number }>;

export type DiffLimits = Readonly<{ maxEdits: number; timeoutMs: number }>;

/** Beyond this the two texts have so little in common that a diff tells nobody anything. */
export const diffLimits: DiffLimits = { maxEdits: 6_000, timeoutMs: 1_500 };

/**
 * Which lines went and which are new, as runs that cover both texts whole and in order; null when they are too different
 * to be compared within the limits. Lines are given by what tells them apart.
 */
export function changedLines(
  before: readonly string[],
  now: readonly string[],
  limits: DiffLimits = diffLimits,
): readonly LineRun[] | null {
  const shorter = Math.min(before.length, now.length);
  let head = 0;
  while (head < shorter && before[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const [left, right] = [before.slice(head, before.length - tail), now.slice(head, now.length - tail)];
  if (leastEdits(left, right) > limits.maxEdits) return null;
  const changes = diffArrays(left, right, {
    maxEditLength: limits.maxEdits,
    timeout: limits.timeoutMs,
  });
  if (changes === undefined) return null;
  const middle = changes.map(
    ({ added, removed, count }): LineRun => ({ kind: removed ? 'gone' : added ? 'new' : 'same', count }),
  );
  return joined([{ kind: 'same', count: head }, ...middle, { kind: 'same', count: tail }]);
}

/** No fewer lines than these went and came: those that the other text does not have at all. */
function leastEdits(left: readonly string[], right: readonly string[]): number {
  const [inLeft, inRight] = [new Set(left), new Set(right)];
  return left.filter((line) => !inRight.has(line)).length + right.filter((line) => !inLeft.has(line)).length;
}

/** Neighbours of one kind as one run; empty ones are none. */
function joined(runs: readonly LineRun[]): readonly LineRun[] {
  const result: LineRun[] = [];
  for (const run of runs) {
    const last = result.at(-1);
    if (run.count === 0) continue;
    if (last?.kind === run.kind) result[result.length - 1] = { kind: run.kind, count: last.count + run.count };
    else result.push(run);
  }
  return result;
}

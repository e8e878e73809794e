/** Shorter and smaller lists than this one, the boldest first. */
function* smaller(list: readonly number[]): Generator<readonly number[]> {
  for (let size = list.length; size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at + size <= list.length; at += size) yield [...list.slice(0, at), ...list.slice(at + size)];
  }
  for (const [at, value] of list.entries()) {
    for (const less of new Set([0, value >> 1, value - 1])) {
      if (less >= 0 && less < value) yield list.with(at, less);
    }
  }
}

/**
 * The smallest list found within `withinMs` for which `fails` still holds: what is left is what the failure needs.
 * `fails` answers with the choices that were really taken, or null when all was well.
 */
export async function minimised(
  first: readonly number[],
  fails: (list: readonly number[]) => Promise<readonly number[] | null>,
  withinMs: number,
): Promise<readonly number[]> {
  const until = performance.now() + withinMs;
  let best = first;
  for (let isBetter = true; isBetter; ) {
    isBetter = false;
    for (const list of smaller(best)) {
      if (performance.now() > until) return best;
      const taken = await fails(list);
      if (taken === null || !isLess(taken, best)) continue;
      best = taken;
      isBetter = true;
      break;
    }
  }
  return best;
}

function isLess(left: readonly number[], right: readonly number[]): boolean {
  if (left.length !== right.length) return left.length < right.length;
  const at = left.findIndex((value, index) => value !== right[index]);
  return at >= 0 && (left[at] ?? 0) < (right[at] ?? 0);
}

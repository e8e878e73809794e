import { useEffect, useState } from 'react';
import type { CardCode } from '../../../contract/card.ts';
import type { LineRun } from './changedLines.ts';
import { compareLines } from './codeWorkers.ts';
import { lineKey } from './lineText.ts';

/** `none`: there is nothing to compare with. `gave up`: the texts are too different to be compared in time. */
export type Comparison =
  | Readonly<{ kind: 'none' | 'comparing' | 'gave up' }>
  | Readonly<{ kind: 'compared'; runs: readonly LineRun[] }>;

/** Compares code with an earlier version, once, in a worker. */
export function useComparison(before: CardCode['lines'] | null, now: CardCode['lines']): Comparison {
  const [comparison, setComparison] = useState<Comparison>({ kind: before === null ? 'none' : 'comparing' });
  useEffect(() => {
    if (before === null) return;
    return compareLines({ before: before.map(lineKey), now: now.map(lineKey) }, (runs) =>
      setComparison(runs === null ? { kind: 'gave up' } : { kind: 'compared', runs }),
    );
  }, [before, now]);
  return comparison;
}

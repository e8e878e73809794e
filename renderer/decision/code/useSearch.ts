import { useDeferredValue, useEffect, useMemo, useState } from 'react';
import type { CardCode } from '../../../contract/card.ts';
import { lineText } from './lineText.ts';
import { type Found, foundAt, type Hit, hitsOf } from './search.ts';

export type Search = Readonly<{
  wanted: string | null;
  current: number;
  found: Found;
  open: () => void;
  close: () => void;
  change: (wanted: string) => void;
  go: (by: 1 | -1) => void;
}>;

/** A search in lines; `wanted` is null while there is none. `show` brings a hit into sight. */
export function useSearch(lines: CardCode['lines'], show: (hit: Hit) => void): Search {
  const [wanted, setWanted] = useState<string | null>(null);
  const [current, setCurrent] = useState(0);
  const texts = useMemo(() => lines.map(lineText), [lines]);
  const settled = useDeferredValue(wanted ?? '');
  const hits = useMemo(() => hitsOf(texts, settled), [texts, settled]);
  const found = useMemo(() => foundAt(hits, current), [hits, current]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another hit is brought into sight, not the same by another function
  useEffect(() => {
    const hit = hits[current];
    if (hit !== undefined) show(hit);
  }, [hits, current]);
  return {
    wanted,
    current,
    found,
    open: () => setWanted((before) => before ?? ''),
    close: () => setWanted(null),
    change: (text) => {
      setWanted(text);
      setCurrent(0);
    },
    go: (by) => setCurrent((before) => (hits.length === 0 ? 0 : (before + by + hits.length) % hits.length)),
  };
}

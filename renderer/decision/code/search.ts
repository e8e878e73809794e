import type { Span } from './pieces.ts';

/** A place that was found: index of the line, and characters of its text. */
export type Hit = Readonly<{ line: number; from: number; to: number }>;
export type Found = Readonly<{ hits: readonly Hit[]; spansOf: (line: number) => readonly Span[] }>;

/** More hits than this are no help; it is said that there are more. */
export const MAX_HITS = 2_000;

/** Where a text stands in lines, whatever its case. An empty one is nowhere. */
export function hitsOf(texts: readonly string[], wanted: string): readonly Hit[] {
  const hits: Hit[] = [];
  if (wanted === '') return hits;
  // By the pattern and not by lower case, which may have another length.
  const pattern = new RegExp(wanted.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'giu');
  for (const [line, text] of texts.entries()) {
    for (const match of text.matchAll(pattern)) {
      hits.push({ line, from: match.index, to: match.index + match[0].length });
      if (hits.length === MAX_HITS) return hits;
    }
  }
  return hits;
}

/** Hits as looks of their lines; the one at `current` has its own. */
export function foundAt(hits: readonly Hit[], current: number): Found {
  const spans = new Map<number, Span[]>();
  for (const [index, { line, from, to }] of hits.entries()) {
    const known = spans.get(line) ?? [];
    known.push({ from, to, look: index === current ? 'foundNow' : 'found' });
    spans.set(line, known);
  }
  return { hits, spansOf: (line) => spans.get(line) ?? [] };
}

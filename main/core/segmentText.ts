import type { Segment } from '../../contract/display.ts';

/** Segments as plain text, for places that cannot draw a mark: what a person would not see stands as `⟦U+202E⟧`. */
export function segmentText(segments: readonly Segment[]): string {
  return segments.map((segment) => (segment.kind === 'text' ? segment.text : `⟦${segment.text}⟧`)).join('');
}

import { memo } from 'react';
import { Segments } from '../../shared/Segments.tsx';
import styles from './code.module.css';
import type { Line } from './lineText.ts';
import { piecesOf, type Span } from './pieces.ts';

type CodeTextProps = Readonly<{ segments: Line; start: number; spans: readonly Span[] }>;

/** A part of a line of code, each piece with the looks that fall on it. */
export const CodeText = memo(({ segments, start, spans }: CodeTextProps) => {
  if (spans.length === 0) return <Segments of={segments} />;
  return piecesOf(segments, spans, start).map(({ segment, looks }, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no identity but their place
    <span key={index} className={looks.map((look) => styles[look]).join(' ')}>
      <Segments of={[segment]} />
    </span>
  ));
});

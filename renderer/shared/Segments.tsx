import type { Segment } from '../../contract/display.ts';
import styles from './Segments.module.css';

/** Text from outside, as main prepared it: always text nodes, with what would be invisible drawn as a mark. */
export function Segments({ of }: Readonly<{ of: readonly Segment[] }>) {
  return of.map((segment, index) =>
    segment.kind === 'text' ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: segments have no identity but their place
      <span key={index}>{segment.text}</span>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: segments have no identity but their place
      <mark key={index} className={styles.mark} title={segment.title}>
        {segment.text}
      </mark>
    ),
  );
}

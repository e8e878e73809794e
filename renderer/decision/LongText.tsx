import { useMemo, useRef } from 'react';
import type { Segment } from '../../contract/display.ts';
import { Segments } from '../shared/Segments.tsx';
import { chunksOf } from './code/chunks.ts';
import { lineText } from './code/lineText.ts';
import { VirtualRows } from './code/VirtualRows.tsx';
import styles from './LongText.module.css';

/** Longer texts get a place of their own to scroll in, so that they push nothing else out of sight. */
const LONG = 900;
/** Far more than anybody reads: only what is in sight is drawn. */
const VERY_LONG = 12_000;

type LongTextProps = Readonly<{ of: readonly Segment[]; label: string }>;

/** Text from outside of any length. What does not fit is scrolled to, and its length is said. */
export function LongText({ of, label }: LongTextProps) {
  const length = useMemo(() => lineText(of).length, [of]);
  if (length <= LONG) return <Segments of={of} />;
  const counted = `${length.toLocaleString('en')} characters: scroll here to read all`;
  return (
    <div className={styles.long}>
      <small className={styles.count}>{counted}</small>
      {length <= VERY_LONG ? <Whole of={of} label={label} /> : <Rows of={of} label={label} />}
    </div>
  );
}

function Whole({ of, label }: LongTextProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={styles.scroll} aria-label={label} tabIndex={0}>
      <Segments of={of} />
    </section>
  );
}

function Rows({ of, label }: LongTextProps) {
  const scroller = useRef<HTMLElement>(null);
  const chunks = useMemo(() => chunksOf(of), [of]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={styles.scroll} aria-label={label} tabIndex={0} ref={scroller}>
      <VirtualRows
        label={label}
        count={chunks.length}
        length={(index) => lineText(chunks[index]?.segments ?? []).length}
        row={(index) => <Segments of={chunks[index]?.segments ?? []} />}
        scroller={scroller}
      />
    </section>
  );
}

import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import { ScrollRegion } from '../../../shared/ScrollRegion.tsx';
import { Segments } from '../../../shared/Segments.tsx';
import styles from './Runs.module.css';
import { type TextSource, useTextRows } from './useTextRows.ts';

const lineHeight = 20;

type TextViewProps = TextSource &
  Readonly<{
    label: string;
    grown?: number;
    /** Stays at the end while the text grows, unless the owner scrolls away from it. */
    follow?: boolean;
    empty: string;
  }>;

/** A text of any length, numbered by its lines; only what is in sight is read and drawn. */
export function TextView({ label, grown = 0, follow = false, empty, ...source }: TextViewProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const { total, row, want, problem } = useTextRows(source, grown);
  const [away, setAway] = useState(false);
  const count = total ?? 0;
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => lineHeight,
    overscan: 20,
  });
  const items = virtual.getVirtualItems();
  const [first, last] = [items[0]?.index ?? 0, items.at(-1)?.index ?? 0];
  useEffect(() => want(first, last), [want, first, last]);
  useEffect(() => {
    if (follow && !away && count > 0) virtual.scrollToIndex(count - 1, { align: 'end' });
  }, [follow, away, count, virtual]);

  function onScroll() {
    const box = scroller.current;
    if (box !== null && follow) setAway(box.scrollHeight - box.scrollTop - box.clientHeight > 3 * lineHeight);
  }
  return (
    <>
      {problem !== null && <p role="alert">{problem}</p>}
      {total === 0 && <p className={styles.quiet}>{empty}</p>}
      <ScrollRegion
        className={styles.text}
        data-empty={count === 0}
        aria-label={label}
        ref={scroller}
        onScroll={onScroll}
      >
        <ol style={{ height: virtual.getTotalSize() }}>
          {items.map(({ key, index, start }) => {
            const found = row(index);
            return (
              <li
                key={key}
                ref={virtual.measureElement}
                data-index={index}
                data-line={found === undefined || found.continued ? '' : found.line}
                style={{ transform: `translateY(${start}px)` }}
              >
                {found === undefined ? '…' : <Segments of={found.of} />}
              </li>
            );
          })}
        </ol>
      </ScrollRegion>
      {follow && away && (
        <button type="button" className={styles.toEnd} onClick={() => setAway(false)}>
          Follow the end
        </button>
      )}
    </>
  );
}

import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, type RefObject, useEffect, useImperativeHandle, useRef, useState } from 'react';
import styles from './code.module.css';

export type RowsHandle = Readonly<{ scrollTo: (index: number) => void }>;

type VirtualRowsProps = Readonly<{
  label: string;
  count: number;
  /** Characters in a row, of which its height is guessed until it is drawn. */
  length: (index: number) => number;
  row: (index: number) => ReactNode;
  /** What scrolls: the rows are a part of its content. */
  scroller: RefObject<HTMLElement | null>;
  handle?: RefObject<RowsHandle | null>;
  /** Rows are on the screen, or beside it when they have to be scrolled to. */
  onDrawn?: () => void;
}>;

const LINE_HEIGHT = 20;
const CHARACTER_WIDTH = 7.6;

/** A list of any length, of which only what is near the screen is drawn. */
export function VirtualRows({ label, count, length, row, scroller, handle, onDrawn }: VirtualRowsProps) {
  const list = useRef<HTMLUListElement>(null);
  const [place, setPlace] = useState({ top: 0, columns: 80 });
  // Not a layout effect: what scrolls is an ancestor, whose reference is set after the layout effects in it.
  useEffect(() => {
    const [outer, inner] = [scroller.current, list.current];
    if (outer === null || inner === null) return;
    const measure = (): void => {
      const top = inner.getBoundingClientRect().top - outer.getBoundingClientRect().top + outer.scrollTop;
      const columns = Math.max(20, Math.floor((inner.clientWidth - 96) / CHARACTER_WIDTH));
      setPlace((before) => (before.top === top && before.columns === columns ? before : { top, columns }));
    };
    measure();
    // Whatever stands above the rows moves them when it grows.
    const observer = new ResizeObserver(measure);
    for (const child of outer.children) observer.observe(child);
    return () => observer.disconnect();
  }, [scroller]);

  const rows = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => LINE_HEIGHT * Math.max(1, Math.ceil(length(index) / place.columns)),
    scrollMargin: place.top,
    overscan: 16,
  });
  useImperativeHandle(handle, () => ({ scrollTo: (index) => rows.scrollToIndex(index, { align: 'center' }) }), [rows]);
  const items = rows.getVirtualItems();
  const isDrawn = items.length > 0 || count === 0;
  useEffect(() => {
    if (isDrawn) onDrawn?.();
  }, [isDrawn, onDrawn]);

  return (
    <ul ref={list} aria-label={label} className={styles.rows} style={{ height: rows.getTotalSize() }}>
      {items.map((item) => (
        <li
          key={item.key}
          ref={rows.measureElement}
          data-index={item.index}
          aria-setsize={count}
          aria-posinset={item.index + 1}
          className={styles.row}
          style={{ transform: `translateY(${item.start - place.top}px)` }}
        >
          {row(item.index)}
        </li>
      ))}
    </ul>
  );
}

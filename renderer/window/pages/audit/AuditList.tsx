import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useState } from 'react';
import type { AuditLine } from '../../../../contract/audit.ts';
import { unwrap } from '../../../shared/api.ts';
import { Button } from '../../../shared/Button.tsx';
import { Segments } from '../../../shared/Segments.tsx';
import { useLoaded } from '../../../shared/useLoaded.ts';
import type { PageProps } from '../../App.tsx';
import styles from './Audit.module.css';

const usualHeight = 54;

type AuditListProps = Readonly<{
  api: PageProps['api'];
  rows: readonly AuditLine[];
  hasOlder: boolean;
  more: () => void;
  scroller: HTMLElement | null;
  /** Shows the request that an event belongs to. */
  openRequest: (id: string) => void;
}>;

/** Only the rows in sight are in the page, however many there are. */
export function AuditList({ api, rows, hasOlder, more, scroller, openRequest }: AuditListProps) {
  const [open, setOpen] = useState<number | null>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller,
    getItemKey: (index) => rows[index]?.seq ?? index,
    estimateSize: () => usualHeight,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const lowest = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasOlder && lowest >= rows.length - 40) more();
  }, [hasOlder, lowest, rows.length, more]);
  return (
    <ol className={styles.list} aria-label="Events" style={{ height: virtual.getTotalSize() }}>
      {items.map(({ key, index, start }) => {
        const row = rows[index];
        if (row === undefined) return null;
        const isOpen = row.seq === open;
        return (
          <li
            key={key}
            ref={virtual.measureElement}
            data-index={index}
            className={styles.row}
            aria-setsize={hasOlder ? -1 : rows.length}
            aria-posinset={index + 1}
            style={{ transform: `translateY(${start}px)` }}
          >
            <button
              type="button"
              className={styles.line}
              aria-expanded={isOpen}
              onClick={() => setOpen(isOpen ? null : row.seq)}
            >
              <time dateTime={row.at}>{timeText(row.at)}</time>
              <span className={styles.sentence}>
                <Segments of={row.sentence} />
                <small>
                  {row.kind}, by <Segments of={row.actor} />
                </small>
              </span>
            </button>
            {isOpen && <Event api={api} row={row} openRequest={openRequest} />}
          </li>
        );
      })}
    </ol>
  );
}

function Event({ api, row, openRequest }: Readonly<Pick<AuditListProps, 'api' | 'openRequest'> & { row: AuditLine }>) {
  const { value, problem } = useLoaded(() => unwrap(api.calls.auditEvent({ seq: row.seq })));
  const id = row.request_id;
  return (
    <div className={styles.event}>
      {problem !== null && <p role="alert">{problem}</p>}
      {value !== null && (
        <>
          {value.payload === null ? (
            <p>The details were pruned; their hash is still part of the chain.</p>
          ) : (
            <pre>
              <Segments of={value.payload} />
            </pre>
          )}
          <p>
            Event {row.seq}, hash <code>{value.hash}</code>
          </p>
        </>
      )}
      {id !== null && <Button onClick={() => openRequest(id)}>Show the request</Button>}
    </div>
  );
}

const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const timeText = (time: string): string => format.format(new Date(time));

import { useCallback, useState } from 'react';
import type { AuditFilter } from '../../../../contract/audit.ts';
import { ScrollRegion } from '../../../shared/ScrollRegion.tsx';
import type { PageProps } from '../../App.tsx';
import { Empty, PageFrame, Problem } from '../../Page.tsx';
import { PartTabs } from '../../PartTabs.tsx';
import styles from './Audit.module.css';
import { AuditList } from './AuditList.tsx';
import { ChainBar } from './ChainBar.tsx';
import { FilterBar } from './FilterBar.tsx';
import { StatisticsPanel, shownDays } from './StatisticsPanel.tsx';
import { useAuditRows } from './useAuditRows.ts';

/** Everything that happened, newest first, as the hash-chained rows say; to look through, to check and to take away. */
export function Audit({ api, changes, go, part }: PageProps) {
  const [filter, setFilter] = useState<AuditFilter>(part === null ? {} : { request: part });
  return (
    <PageFrame
      title="Audit"
      lead="Every row carries the hash of the one before it, so nothing can be changed or taken out unseen."
      actions={<ChainBar api={api} filter={filter} />}
    >
      <PartTabs
        label="Parts of the audit log"
        parts={[
          {
            name: 'Events',
            content: (
              <>
                <FilterBar api={api} filter={filter} onChange={setFilter} />
                <Events api={api} changes={changes} filter={filter} openRequest={(id) => go('Runs', id)} />
              </>
            ),
          },
          { name: `Last ${shownDays} days`, content: <StatisticsPanel api={api} changes={changes} /> },
        ]}
      />
    </PageFrame>
  );
}

type EventsProps = Pick<PageProps, 'api' | 'changes'> &
  Readonly<{ filter: AuditFilter; openRequest: (id: string) => void }>;

function Events({ api, changes, filter, openRequest }: EventsProps) {
  // State and no ref: the list, which is mounted before it, draws its rows once it is there.
  const [scroller, setScroller] = useState<HTMLElement | null>(null);
  const atTop = useCallback(() => (scroller?.scrollTop ?? 0) < 8, [scroller]);
  const { rows, hasOlder, fresh, problem, more, showFresh } = useAuditRows(api, filter, changes, atTop);
  const isFiltered = Object.keys(filter).length > 0;
  if (problem !== null) return <Problem>{problem}</Problem>;
  if (rows === null) return null;
  if (rows.length === 0) {
    return <Empty>{isFiltered ? 'Nothing in the log fits all of this.' : 'Nothing has happened yet.'}</Empty>;
  }
  return (
    <div className={styles.frame}>
      {fresh > 0 && (
        <button
          type="button"
          className={styles.fresh}
          onClick={() => {
            showFresh();
            scroller?.scrollTo({ top: 0 });
          }}
        >
          {fresh} new
        </button>
      )}
      <ScrollRegion className={styles.scroller} ref={setScroller} aria-label="Audit log">
        <AuditList
          api={api}
          rows={rows}
          hasOlder={hasOlder}
          more={more}
          scroller={scroller}
          openRequest={openRequest}
        />
      </ScrollRegion>
    </div>
  );
}

import { useEffect } from 'react';
import type { RequestRow } from '../../../contract/owner.ts';
import { unwrap } from '../../shared/api.ts';
import { Countdown } from '../../shared/Countdown.tsx';
import { Segments } from '../../shared/Segments.tsx';
import { useLoaded } from '../../shared/useLoaded.ts';
import type { PageProps } from '../App.tsx';
import { Empty, PageFrame } from '../Page.tsx';
import { since } from '../since.ts';
import styles from './Requests.module.css';

/** Waiting first; a click opens the card in the decision view. Below, what became of the last ones. */
export function Requests({ api, changes }: PageProps) {
  const waiting = useLoaded(() => unwrap(api.calls.waiting(null)));
  const recent = useLoaded(() => unwrap(api.calls.requests({ limit: 50 })));
  // biome-ignore lint/correctness/useExhaustiveDependencies: reload whenever main announces a change
  useEffect(() => {
    waiting.reload();
    recent.reload();
  }, [changes]);
  const past = (recent.value ?? []).filter((row) => row.status !== 'pending');
  return (
    <PageFrame title="Requests" problem={waiting.problem ?? recent.problem}>
      {waiting.value?.length === 0 && <Empty>Nothing waits for you.</Empty>}
      <ul className={styles.list} aria-label="Waiting">
        {waiting.value?.map((row) => (
          <li key={row.id}>
            <button
              type="button"
              className={styles.waiting}
              onClick={() => void api.calls.showCard({ subject: row.subject, id: row.id })}
            >
              <span>
                <Segments of={row.sentence} />
              </span>
              <small>
                <Countdown untilMs={row.expiresAtMs} /> left
              </small>
            </button>
          </li>
        ))}
      </ul>
      {past.length > 0 && (
        <>
          <h2 className={styles.heading}>Recent</h2>
          <ul className={styles.list} aria-label="Recent">
            {past.map((row) => (
              <PastRequest key={row.request_id} row={row} />
            ))}
          </ul>
        </>
      )}
    </PageFrame>
  );
}

function PastRequest({ row }: Readonly<{ row: RequestRow }>) {
  return (
    <li className={styles.past}>
      <span className={styles.status} data-status={row.status}>
        {row.status}
      </span>
      <span className={styles.what}>
        {row.skill_id} <small>{row.agent}</small>
      </span>
      <small>
        {row.trusted ? 'trusted' : (row.decision ?? '')} {since(row.created_at)}
      </small>
    </li>
  );
}

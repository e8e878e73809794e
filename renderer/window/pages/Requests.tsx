import type { RequestRow } from '../../../contract/owner.ts';
import { unwrap } from '../../shared/api.ts';
import { Countdown } from '../../shared/Countdown.tsx';
import { Segments } from '../../shared/Segments.tsx';
import { useLoaded } from '../../shared/useLoaded.ts';
import type { PageProps } from '../App.tsx';
import { Empty, PageFrame } from '../Page.tsx';
import { since } from '../since.ts';
import { useAction } from '../useAction.ts';
import { FirstSteps, isSettledIn } from './FirstSteps.tsx';
import styles from './Requests.module.css';

/** Waiting first; a click opens the card in the decision view or says why it does not. Below, what became of the last ones. */
export function Requests({ api, desk, changes, openCard, go }: PageProps) {
  const recent = useLoaded(() => unwrap(api.calls.requests({ limit: 50 })), changes);
  const agents = useLoaded(() => unwrap(api.calls.agents(null)), changes);
  const status = useLoaded(() => unwrap(api.calls.status(null)), changes);
  const { problem, act } = useAction(recent.reload);
  const rows = recent.value ?? [];
  const past = rows.filter((row) => row.status !== 'pending');
  return (
    <PageFrame title="Requests" problem={problem ?? recent.problem}>
      {desk.waiting.length === 0 && recent.value !== null && isSettledIn(rows) && <Empty>Nothing waits for you.</Empty>}
      <ul className={styles.list} aria-label="Waiting">
        {desk.waiting.map((row) => (
          <li key={row.id}>
            <button
              type="button"
              className={styles.waiting}
              aria-current={row.id === openCard?.id}
              onClick={() => void act(() => unwrap(api.calls.showCard({ subject: row.subject, id: row.id })))}
            >
              <span>
                <Segments of={row.sentence} />
              </span>
              <small>
                <Countdown untilMs={row.expiresAtMs} />
              </small>
            </button>
          </li>
        ))}
      </ul>
      {recent.value !== null && agents.value !== null && status.value !== null && !isSettledIn(rows) && (
        <FirstSteps api={api} go={go} act={act} status={status.value} agents={agents.value} requests={rows} />
      )}
      {past.length > 0 && (
        <>
          <h2 className={styles.heading}>Recent</h2>
          <ul className={styles.list} aria-label="Recent">
            {past.map((row) => (
              <PastRequest key={row.request_id} row={row} open={() => go('Runs', row.request_id)} />
            ))}
          </ul>
        </>
      )}
    </PageFrame>
  );
}

const decisions = { once: 'run once', '24h': 'trusted for 24 hours', forever: 'always trusted', deny: '' } as const;

function PastRequest({ row, open }: Readonly<{ row: RequestRow; open: () => void }>) {
  const how = row.trusted ? 'by trust' : row.decision === null ? '' : decisions[row.decision];
  return (
    <li>
      <button type="button" className={styles.past} onClick={open}>
        <span className={styles.status} data-status={row.status}>
          {row.status}
        </span>
        <span className={styles.what}>
          {row.skill_id} <small>{row.agent}</small>
        </span>
        <small>{[how, since(row.created_at)].filter((part) => part !== '').join(', ')}</small>
        {row.waiting_for !== null && (
          <span role="status" className={styles.waitingFor}>
            {row.waiting_for}
          </span>
        )}
      </button>
    </li>
  );
}

import { useState } from 'react';
import { runtimeNames } from '../../../../contract/runtime.ts';
import { type RunFilter, type RunRow, runFilters } from '../../../../contract/runView.ts';
import { unwrap } from '../../../shared/api.ts';
import { Button } from '../../../shared/Button.tsx';
import { Segments } from '../../../shared/Segments.tsx';
import { useLoaded } from '../../../shared/useLoaded.ts';
import type { PageProps } from '../../App.tsx';
import { Empty, PageFrame } from '../../Page.tsx';
import { since } from '../../since.ts';
import { useAction } from '../../useAction.ts';
import styles from './Runs.module.css';
import { RunView } from './RunView.tsx';

const filterNames: Readonly<Record<RunFilter, string>> = {
  all: 'All',
  active: 'Under way',
  succeeded: 'Succeeded',
  failed: 'Failed',
  refused: 'Did not run',
};

/** Every request and what became of it; one is opened with all that is kept of it. */
export function Runs({ api, changes, go, part }: PageProps) {
  if (part === null) return <RunList api={api} changes={changes} open={(id) => go('Runs', id)} />;
  return (
    <RunView
      key={part}
      api={api}
      changes={changes}
      id={part}
      close={() => go('Runs')}
      openAudit={() => go('Audit', part)}
    />
  );
}

type RunListProps = Readonly<{ api: PageProps['api']; changes: number; open: (id: string) => void }>;

function RunList({ api, changes, open }: RunListProps) {
  const [show, setShow] = useState<RunFilter>('all');
  return (
    <PageFrame
      title="Runs"
      lead="What agents asked for and what became of it, with the exact code, output and traffic."
    >
      <fieldset className={styles.filters}>
        <legend className={styles.unseen}>Which to show</legend>
        {runFilters.map((name) => (
          <label key={name} data-checked={name === show}>
            <input type="radio" name="runs" checked={name === show} onChange={() => setShow(name)} />
            {filterNames[name]}
          </label>
        ))}
      </fieldset>
      <List key={show} api={api} changes={changes} open={open} show={show} />
    </PageFrame>
  );
}

function List({ api, changes, open, show }: RunListProps & Readonly<{ show: RunFilter }>) {
  const newest = useLoaded(() => unwrap(api.calls.runs({ show })), changes);
  const [older, setOlder] = useState<Readonly<{ rows: readonly RunRow[]; next: string | null }> | null>(null);
  const { problem, act } = useAction(() => undefined);
  if (newest.value === null) return newest.problem === null ? null : <p role="alert">{newest.problem}</p>;
  const ids = new Set(newest.value.rows.map(({ id }) => id));
  const rows = [...newest.value.rows, ...(older?.rows ?? []).filter(({ id }) => !ids.has(id))];
  const next = older === null ? newest.value.next : older.next;
  const more = () =>
    act(async () => {
      if (next === null) return;
      const page = await unwrap(api.calls.runs({ show, after: next }));
      setOlder({ rows: [...(older?.rows ?? []), ...page.rows], next: page.next });
    });
  if (rows.length === 0) {
    return <Empty>{show === 'all' ? 'Nothing has been asked for yet.' : 'None of these.'}</Empty>;
  }
  return (
    <>
      {problem !== null && <p role="alert">{problem}</p>}
      <ul className={styles.list} aria-label="Runs">
        {rows.map((row) => (
          <li key={row.id}>
            <button type="button" className={styles.run} onClick={() => open(row.id)}>
              <span className={styles.status} data-status={row.status}>
                {row.status}
              </span>
              <span className={styles.skill}>
                <Segments of={row.skill} />
                <small>
                  {' '}
                  <Segments of={row.agent} />
                </small>
              </span>
              <small className={styles.facts}>{factsOf(row).join(', ')}</small>
            </button>
          </li>
        ))}
      </ul>
      {next !== null && <Button onClick={() => void more()}>Older</Button>}
    </>
  );
}

const decisions = {
  once: 'run once',
  '24h': 'trusted for 24 hours',
  forever: 'always trusted',
  deny: 'denied',
} as const;

function factsOf(row: RunRow): readonly string[] {
  return [
    row.waitingFor ?? '',
    row.trusted ? 'by trust' : row.decision === null ? '' : decisions[row.decision],
    row.runtime === null ? '' : runtimeNames[row.runtime],
    row.durationMs === null ? '' : `${(row.durationMs / 1000).toFixed(1)} s`,
    since(new Date(row.createdAtMs).toISOString()),
  ].filter((fact) => fact !== '');
}

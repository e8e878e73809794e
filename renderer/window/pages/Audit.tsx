import { useState } from 'react';
import type { AuditLine } from '../../../contract/ipc.ts';
import { messageOf, unwrap } from '../../shared/api.ts';
import { Button } from '../../shared/Button.tsx';
import { Segments } from '../../shared/Segments.tsx';
import { useLoaded } from '../../shared/useLoaded.ts';
import type { PageProps } from '../App.tsx';
import { Empty, PageFrame, Table } from '../Page.tsx';
import styles from './Audit.module.css';

const PAGE = 100;

/** Everything that happened, newest first, as the hash-chained rows say. */
export function Audit({ api, changes }: PageProps) {
  const [kept, setKept] = useState<readonly AuditLine[]>([]);
  const [verdict, setVerdict] = useState<string | null>(null);
  const newest = useLoaded(() => unwrap(api.calls.audit({ limit: PAGE })), changes);
  const rows = withOlder(newest.value ?? [], kept);
  const last = rows.at(-1);

  async function more() {
    if (last === undefined) return;
    try {
      setKept([...rows, ...(await unwrap(api.calls.audit({ limit: PAGE, before_seq: last.seq })))]);
    } catch (error) {
      setVerdict(messageOf(error));
    }
  }
  async function verify() {
    try {
      const result = await unwrap(api.calls.verifyAudit(null));
      setVerdict(
        result.ok
          ? `The chain of ${result.events} events is whole.`
          : `The chain is broken at event ${result.broken_at}: ${result.reason}`,
      );
    } catch (error) {
      setVerdict(messageOf(error));
    }
  }
  return (
    <PageFrame
      title="Audit"
      lead={verdict ?? 'Each row carries the hash of the one before it.'}
      problem={newest.problem}
      actions={<Button onClick={verify}>Check the chain</Button>}
    >
      {rows.length === 0 ? (
        <Empty>Nothing has happened yet.</Empty>
      ) : (
        <Table
          label="Audit"
          columns={['When', 'Who', 'What', 'Details']}
          rows={rows.map((row) => ({
            key: String(row.seq),
            cells: [
              <time key="at" dateTime={row.at} className={styles.time}>
                {new Date(row.at).toLocaleString()}
              </time>,
              <span key="actor" className={styles.actor}>
                {row.actor}
              </span>,
              row.kind,
              <Details key="details" row={row} />,
            ],
          }))}
        />
      )}
      {last !== undefined && last.seq > 1 && <Button onClick={more}>Older</Button>}
    </PageFrame>
  );
}

/** The newest rows, then those that were loaded before and are older. */
function withOlder(newest: readonly AuditLine[], kept: readonly AuditLine[]): readonly AuditLine[] {
  const lowest = newest.at(-1)?.seq ?? Number.MAX_SAFE_INTEGER;
  return [...newest, ...kept.filter((row) => row.seq < lowest)];
}

function Details({ row }: Readonly<{ row: AuditLine }>) {
  return (
    <small className={styles.details} title={`event ${row.seq}, hash ${row.hash}`}>
      <Segments of={row.details} />
    </small>
  );
}

import { useState } from 'react';
import type { AuditRow } from '../../../contract/owner.ts';
import { messageOf, unwrap } from '../../shared/api.ts';
import { Button } from '../../shared/Button.tsx';
import { useLoaded } from '../../shared/useLoaded.ts';
import type { PageProps } from '../App.tsx';
import { Empty, PageFrame, Table } from '../Page.tsx';

const PAGE = 100;

/** Everything that happened, newest first, as the hash-chained rows say. */
export function Audit({ api }: PageProps) {
  const [older, setOlder] = useState<readonly AuditRow[]>([]);
  const [verdict, setVerdict] = useState<string | null>(null);
  const newest = useLoaded(() => unwrap(api.calls.audit({ limit: PAGE })));
  const rows = [...(newest.value ?? []), ...older];
  const last = rows.at(-1);

  async function more() {
    if (last === undefined) return;
    const page = await unwrap(api.calls.audit({ limit: PAGE, before_seq: last.seq }));
    setOlder((before) => [...before, ...page]);
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
            cells: [new Date(row.at).toLocaleString(), row.actor, row.kind, <Details key="details" row={row} />],
          }))}
        />
      )}
      {last !== undefined && last.seq > 1 && <Button onClick={more}>Older</Button>}
    </PageFrame>
  );
}

function Details({ row }: Readonly<{ row: AuditRow }>) {
  const text = JSON.stringify(row.payload);
  return (
    <small title={`event ${row.seq}, hash ${row.hash}`}>{text.length > 160 ? `${text.slice(0, 160)}…` : text}</small>
  );
}

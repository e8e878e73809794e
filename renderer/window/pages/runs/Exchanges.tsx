import { useEffect, useState } from 'react';
import type { ExchangeView } from '../../../../contract/runView.ts';
import { messageOf, unwrap } from '../../../shared/api.ts';
import { Button } from '../../../shared/Button.tsx';
import { Segments } from '../../../shared/Segments.tsx';
import type { PageProps } from '../../App.tsx';
import { Table } from '../../Page.tsx';
import styles from './Runs.module.css';

type ExchangesProps = Readonly<{ api: PageProps['api']; id: string; total: number }>;

/** What went through the gateway, in the order in which it ended. */
export function Exchanges({ api, id, total }: ExchangesProps) {
  const [rows, setRows] = useState<readonly ExchangeView[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  async function read(from: number) {
    try {
      const page = await unwrap(api.calls.runExchanges({ id, from }));
      setRows((before) => [...before.slice(0, from), ...page.rows]);
      setProblem(null);
    } catch (error) {
      setProblem(messageOf(error));
    }
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: a larger `total` says that there are more
  useEffect(() => {
    if (rows.length < Math.min(total, 100)) void read(rows.length);
  }, [total]);
  if (total === 0) return <p className={styles.quiet}>It sent nothing.</p>;
  return (
    <>
      {problem !== null && <p role="alert">{problem}</p>}
      <Table
        label="Requests of this run"
        columns={['Request', 'Answer', 'Secrets', 'Bytes in, out', 'Took']}
        rows={rows.map((row, index) => ({ key: String(index), cells: cellsOf(row) }))}
      />
      {rows.length < total && (
        <Button onClick={() => void read(rows.length)}>{`Show more (${total - rows.length} left)`}</Button>
      )}
    </>
  );
}

function cellsOf(row: ExchangeView) {
  return [
    <span key="request" className={styles.request}>
      <Segments of={row.method} /> <Segments of={row.host} />
      <Segments of={row.path} />
    </span>,
    row.refused === null ? (
      row.status === 0 ? (
        'none'
      ) : (
        row.status
      )
    ) : (
      <span key="refused" className={styles.refused}>
        refused: {row.refused.replaceAll('_', ' ')}
      </span>
    ),
    <span key="secrets">
      {row.secrets.map((name, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: names in a fixed row
        <span key={index}>
          {index > 0 && ', '}
          <Segments of={name} />
        </span>
      ))}
      {row.placeholderInBody && ' (a stand-in stayed in the body)'}
    </span>,
    `${bytesText(row.bytesIn)}, ${bytesText(row.bytesOut)}`,
    `${row.durationMs} ms`,
  ];
}

function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / (1024 * 1024)).toFixed(1)} MB`;
}

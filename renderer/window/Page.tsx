import type { ReactNode } from 'react';
import styles from './Page.module.css';

type PageFrameProps = Readonly<{
  title: string;
  lead?: string;
  actions?: ReactNode;
  problem?: string | null;
  children: ReactNode;
}>;

/** The frame that every page shares: title, one explaining sentence, actions, a place for what went wrong. */
export function PageFrame({ title, lead, actions, problem = null, children }: PageFrameProps) {
  return (
    <main className={styles.page}>
      <header>
        <div>
          <h1>{title}</h1>
          {lead !== undefined && <p>{lead}</p>}
        </div>
        {actions}
      </header>
      {problem !== null && (
        <p role="alert" className={styles.problem}>
          {problem}
        </p>
      )}
      {children}
    </main>
  );
}

export function Empty({ children }: Readonly<{ children: ReactNode }>) {
  return <p className={styles.empty}>{children}</p>;
}

type TableProps = Readonly<{
  label: string;
  columns: readonly string[];
  rows: readonly Readonly<{ key: string; cells: readonly ReactNode[] }>[];
}>;

export function Table({ label, columns, rows }: TableProps) {
  return (
    <div className={styles.tableFrame}>
      <table className={styles.table} aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key}>
              {row.cells.map((cell, index) => (
                <td key={columns[index]}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Panel({ children, label }: Readonly<{ children: ReactNode; label: string }>) {
  return (
    <section className={styles.panel} aria-label={label}>
      {children}
    </section>
  );
}

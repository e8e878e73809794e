import { type ReactNode, useId } from 'react';
import styles from './Page.module.css';

type PageFrameProps = Readonly<{
  title: ReactNode;
  lead?: string;
  actions?: ReactNode;
  problem?: string | null;
  children?: ReactNode;
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
      {problem !== null && <Problem>{problem}</Problem>}
      {children}
    </main>
  );
}

/** What went wrong, said at once to who cannot see it. */
export function Problem({ children }: Readonly<{ children: string }>) {
  return (
    <p role="alert" className={styles.problem}>
      {children}
    </p>
  );
}

export function Empty({ children }: Readonly<{ children: ReactNode }>) {
  return <div className={styles.empty}>{children}</div>;
}

type TableProps = Readonly<{
  label: string;
  columns: readonly string[];
  rows: readonly Readonly<{ key: string; cells: readonly ReactNode[] }>[];
}>;

/** Rows under column heads; a column without a head holds the buttons of its row. */
export function Table({ label, columns, rows }: TableProps) {
  return (
    <div className={styles.tableFrame}>
      <table className={styles.table} aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) =>
              column === '' ? (
                <td key={column} />
              ) : (
                <th key={column} scope="col">
                  {column}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key}>
              {row.cells.map((cell, index) => (
                <td
                  key={columns[index]}
                  data-label={columns[index]}
                  className={columns[index] === '' ? styles.buttons : undefined}
                >
                  {columns[index] === '' ? cell : <div>{cell}</div>}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

type FactListProps = Readonly<{ label: string; facts: readonly (readonly [name: string, value: ReactNode])[] }>;

/** Names and what they stand for, one a line. */
export function FactList({ label, facts }: FactListProps) {
  return (
    <dl className={styles.facts} aria-label={label}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A framed part of a page with its heading. */
export function Panel({ children, label }: Readonly<{ children: ReactNode; label: ReactNode }>) {
  const heading = useId();
  return (
    <section className={styles.panel} aria-labelledby={heading}>
      <h2 id={heading}>{label}</h2>
      {children}
    </section>
  );
}

/** Buttons in a row that breaks where it must. */
export function Actions({ children }: Readonly<{ children: ReactNode }>) {
  return <div className={styles.actions}>{children}</div>;
}

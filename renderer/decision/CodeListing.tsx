import { useMemo } from 'react';
import type { CardCode } from '../../contract/card.ts';
import { Segments } from '../shared/Segments.tsx';
import styles from './CodeListing.module.css';
import { codeRows } from './codeRows.ts';

/** Every line of the code that would run, numbered and wrapped, so that nothing hides to the right. */
export function CodeListing({ code }: Readonly<{ code: CardCode }>) {
  const rows = useMemo(() => codeRows(code.lines), [code.lines]);
  return (
    <section className={styles.listing} aria-label="Code that would run">
      <header>
        <strong>Code</strong>
        <span>
          {code.language}, {code.lines.length} {code.lines.length === 1 ? 'line' : 'lines'}, {code.bytes} bytes
        </span>
        <code title={code.sha256}>sha256 {code.sha256}</code>
      </header>
      <ol>
        {rows.map(({ from, to, segments }) => (
          <li key={from} data-line={from === to ? from : `${from}–${to}`}>
            <Segments of={segments} />
          </li>
        ))}
      </ol>
    </section>
  );
}

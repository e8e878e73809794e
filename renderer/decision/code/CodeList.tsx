import { type RefObject, useMemo } from 'react';
import type { CardCode } from '../../../contract/card.ts';
import { CodeText } from './CodeText.tsx';
import styles from './code.module.css';
import { codeRows } from './codeRows.ts';
import type { ColouredLine } from './colourNames.ts';
import { lineText } from './lineText.ts';
import type { Span } from './pieces.ts';
import type { Found } from './search.ts';
import { type RowsHandle, VirtualRows } from './VirtualRows.tsx';

type CodeListProps = Readonly<{
  lines: CardCode['lines'];
  coloursOf: (index: number) => ColouredLine;
  found: Found;
  scroller: RefObject<HTMLElement | null>;
  handle: RefObject<RowsHandle | null>;
  onDrawn: () => void;
}>;

/** Every line of the code that would run, numbered and wrapped, so that nothing hides to the right. */
export function CodeList({ lines, coloursOf, found, scroller, handle, onDrawn }: CodeListProps) {
  const rows = useMemo(() => codeRows(lines), [lines]);
  const row = (index: number) => {
    const shown = rows[index];
    if (shown === undefined) return null;
    const { from, to, start, segments } = shown;
    const spans: readonly Span[] = [...coloursOf(from - 1), ...found.spansOf(from - 1)];
    return (
      <div className={styles.line}>
        <span className={styles.number} data-number={start > 0 ? '↳' : from === to ? from : `${from}–${to}`} />
        <span className={styles.text}>
          <CodeText segments={segments} start={start} spans={spans} />
        </span>
      </div>
    );
  };
  return (
    <VirtualRows
      label="Lines of the code that would run"
      count={rows.length}
      length={(index) => lineText(rows[index]?.segments ?? []).length}
      row={row}
      scroller={scroller}
      handle={handle}
      onDrawn={onDrawn}
    />
  );
}

/** The row in which a place of a line is. */
export function rowOf(lines: CardCode['lines'], line: number, place: number): number {
  return codeRows(lines).findLastIndex(({ from, start }) => from - 1 < line || (from - 1 === line && start <= place));
}

import { type RefObject, useMemo, useState } from 'react';
import { counted } from '../../shared/counted.ts';
import { CodeText } from './CodeText.tsx';
import styles from './code.module.css';
import type { ColouredLine } from './colourNames.ts';
import { type DiffRow, type DiffSide, type DiffTexts, diffRows } from './diffRows.ts';
import { lineText } from './lineText.ts';
import type { Span } from './pieces.ts';
import { VirtualRows } from './VirtualRows.tsx';

type Colours = (index: number) => ColouredLine;
type DiffListProps = Readonly<{
  texts: DiffTexts;
  coloursBefore: Colours;
  coloursNow: Colours;
  sideBySide: boolean;
  scroller: RefObject<HTMLElement | null>;
  onDrawn: () => void;
}>;

/** What changed since the approved version; what did not is folded, and opens by a click on its count. */
export function DiffList({ texts, coloursBefore, coloursNow, sideBySide, scroller, onDrawn }: DiffListProps) {
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const rows = useMemo(() => diffRows(texts, { sideBySide, opened }), [texts, sideBySide, opened]);
  const before = (side: DiffSide | null) => <Side side={side} kind="gone" coloursOf={coloursBefore} />;
  const now = (side: DiffSide | null) => <Side side={side} kind="new" coloursOf={coloursNow} />;
  const row = (index: number) => {
    const shown = rows[index];
    if (shown === undefined) return null;
    if (shown.kind === 'fold') {
      const open = () => setOpened((known) => new Set([...known, shown.id]));
      return (
        <button type="button" className={styles.fold} onClick={open}>
          ⋯ Show {counted(shown.lines, 'line')} that did not change
        </button>
      );
    }
    if (shown.kind === 'same') {
      const plain = <Side side={shown.now} kind="same" coloursOf={coloursNow} />;
      if (!sideBySide) return plain;
      return (
        <div className={styles.pair}>
          <Side side={shown.before} kind="same" coloursOf={coloursBefore} />
          {plain}
        </div>
      );
    }
    if (sideBySide) {
      return (
        <div className={styles.pair}>
          {before(shown.before)}
          {now(shown.now)}
        </div>
      );
    }
    return shown.before === null ? now(shown.now) : before(shown.before);
  };
  return (
    <VirtualRows
      // What was opened or turned has other rows: their heights are not those of the ones before.
      key={`${sideBySide} ${[...opened].join()}`}
      label="Lines that changed since the version you approved"
      count={rows.length}
      length={(index) => lengthOf(rows[index], sideBySide)}
      row={row}
      scroller={scroller}
      onDrawn={onDrawn}
    />
  );
}

function lengthOf(row: DiffRow | undefined, sideBySide: boolean): number {
  if (row === undefined || row.kind === 'fold') return 0;
  const [before, now] = [row.before, row.now].map((side) => (side === null ? 0 : lineText(side.segments).length));
  const longest = Math.max(before ?? 0, now ?? 0);
  return sideBySide ? longest * 2 : longest;
}

const signs = { gone: '−', new: '+', same: '' } as const;
const spoken = { gone: 'removed', new: 'added', same: '' } as const;

type SideProps = Readonly<{ side: DiffSide | null; kind: 'gone' | 'new' | 'same'; coloursOf: Colours }>;

function Side({ side, kind, coloursOf }: SideProps) {
  if (side === null) return <div className={styles.nothing} />;
  const { from, to, start, segments, changed } = side;
  const look = kind === 'gone' ? 'gonePart' : 'newPart';
  const spans: readonly Span[] =
    changed === null ? coloursOf(from - 1) : [...coloursOf(from - 1), { ...changed, look }];
  return (
    <div className={styles.line} data-kind={kind}>
      <span className={styles.number} data-number={start > 0 ? '↳' : from === to ? from : `${from}–${to}`} />
      <span className={styles.sign} data-sign={signs[kind]}>
        {spoken[kind] !== '' && <span className={styles.spoken}>{spoken[kind]} </span>}
      </span>
      <span className={styles.text}>
        <CodeText segments={segments} start={start} spans={spans} />
      </span>
    </div>
  );
}

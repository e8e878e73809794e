import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { Card } from '../../../contract/card.ts';
import { Button } from '../../shared/Button.tsx';
import { CodeList, rowOf } from './CodeList.tsx';
import styles from './code.module.css';
import { DiffList } from './DiffList.tsx';
import { countChanges } from './diffRows.ts';
import { SearchBar } from './SearchBar.tsx';
import { useColours } from './useColours.ts';
import { type Comparison, useComparison } from './useComparison.ts';
import { useSearch } from './useSearch.ts';
import { useWide } from './useWide.ts';
import type { RowsHandle } from './VirtualRows.tsx';

type CodeSectionProps = Readonly<{
  code: NonNullable<Card['code']>;
  earlier: Card['earlier'];
  scroller: RefObject<HTMLElement | null>;
  /** The code is on the screen in the form it stays in until the owner turns it. */
  onDrawn: () => void;
}>;

/** The code that would run, whole; and first, where there is a version the owner approved, what changed since. */
export function CodeSection({ code, earlier, scroller, onDrawn }: CodeSectionProps) {
  const before = earlier === undefined || earlier.sha256 === code.sha256 ? null : earlier.lines;
  const comparison = useComparison(before, code.lines);
  const [wantsCode, setWantsCode] = useState(false);
  const hasDiff = comparison.kind === 'compared' && comparison.runs.some(({ kind }) => kind !== 'same');
  const showsDiff = hasDiff && !wantsCode;
  const sideBySide = useWide();
  const rows = useRef<RowsHandle>(null);
  const input = useRef<HTMLInputElement>(null);
  const search = useSearch(code.lines, (hit) => rows.current?.scrollTo(rowOf(code.lines, hit.line, hit.from)));
  const coloursNow = useColours(code.lines, code.language);
  const coloursBefore = useColours(hasDiff ? before : null, code.language);
  const runs = comparison.kind === 'compared' ? comparison.runs : null;
  const texts = useMemo(
    () => (before === null || runs === null ? null : { before, now: code.lines, runs }),
    [before, code.lines, runs],
  );
  const isSettled = comparison.kind !== 'comparing';
  const drawn = useCallback(() => {
    if (isSettled) onDrawn();
  }, [isSettled, onDrawn]);

  const openSearch = search.open;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'f' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      // Folds hide what is looked for; the code is whole.
      setWantsCode(true);
      openSearch();
      input.current?.select();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [openSearch]);

  return (
    <section className={styles.listing} aria-label="Code that would run">
      <header className={styles.head}>
        <h2>Code</h2>
        {hasDiff && texts !== null && (
          <fieldset aria-label="How the code is shown" className={styles.turn}>
            <Turn pressed={showsDiff} onClick={() => setWantsCode(false)}>
              Changes <Counts {...countChanges(texts.runs)} />
            </Turn>
            <Turn pressed={!showsDiff} onClick={() => setWantsCode(true)}>
              All code
            </Turn>
          </fieldset>
        )}
        <span>
          {code.language}, {code.lines.length} {code.lines.length === 1 ? 'line' : 'lines'}, {code.bytes} bytes
        </span>
        <code title={code.sha256}>sha256 {code.sha256}</code>
        {search.wanted === null ? (
          <Button
            tone="quiet"
            hint="Ctrl+F"
            onClick={() => {
              setWantsCode(true);
              search.open();
            }}
          >
            Find
          </Button>
        ) : (
          <SearchBar
            input={input}
            wanted={search.wanted}
            onChange={search.change}
            count={search.found.hits.length}
            current={search.current}
            go={search.go}
            close={search.close}
          />
        )}
      </header>
      <Note comparison={comparison} earlier={earlier} hasDiff={hasDiff} />
      {showsDiff && texts !== null ? (
        <DiffList
          texts={texts}
          coloursBefore={coloursBefore}
          coloursNow={coloursNow}
          sideBySide={sideBySide}
          scroller={scroller}
          onDrawn={drawn}
        />
      ) : (
        <CodeList
          lines={code.lines}
          coloursOf={coloursNow}
          found={search.found}
          scroller={scroller}
          handle={rows}
          onDrawn={drawn}
        />
      )}
    </section>
  );
}

type TurnProps = Readonly<{ pressed: boolean; onClick: () => void; children: React.ReactNode }>;

function Turn({ pressed, onClick, children }: TurnProps) {
  return (
    <button type="button" aria-pressed={pressed} onClick={onClick}>
      {children}
    </button>
  );
}

function Counts({ gone, fresh }: Readonly<{ gone: number; fresh: number }>) {
  return (
    <>
      <b className={styles.fresh}>
        +{fresh}
        <span className={styles.spoken}> lines added, </span>
      </b>{' '}
      <b className={styles.gone}>
        −{gone}
        <span className={styles.spoken}> lines removed</span>
      </b>
    </>
  );
}

type NoteProps = Readonly<{ comparison: Comparison; earlier: Card['earlier']; hasDiff: boolean }>;

function Note({ comparison, earlier, hasDiff }: NoteProps) {
  if (earlier === undefined) return null;
  const version = `the version you approved on ${new Date(earlier.approvedAtMs).toLocaleString()}`;
  const text = {
    none: `Exactly ${version}.`,
    comparing: `Comparing with ${version} …`,
    'gave up': `Too different from ${version} to be compared; here is all the code.`,
    compared: hasDiff
      ? `Compared with ${version}.`
      : `No line looks different from ${version}, but the bytes differ, for example where lines end.`,
  }[comparison.kind];
  return <p className={styles.note}>{text}</p>;
}

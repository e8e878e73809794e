import type { CardCode } from '../../../contract/card.ts';
import type { LineRun } from './changedLines.ts';
import { type CodeRow, codeRows } from './codeRows.ts';
import { intraLine, type Place } from './intraLine.ts';

/** A row of one of the two texts; `changed`: what differs inside it from the row that it stands for. */
export type DiffSide = CodeRow & Readonly<{ changed: Place | null }>;

/**
 * A row of a diff. `same` has both sides; `change` one of them, or both beside each other; `fold` stands for that many
 * lines that did not change.
 */
export type DiffRow =
  | Readonly<{ kind: 'same'; before: DiffSide; now: DiffSide }>
  | Readonly<{ kind: 'change'; before: DiffSide | null; now: DiffSide | null }>
  | Readonly<{ kind: 'fold'; id: number; lines: number }>;

export type DiffTexts = Readonly<{ before: CardCode['lines']; now: CardCode['lines']; runs: readonly LineRun[] }>;
export type DiffLayout = Readonly<{ sideBySide: boolean; opened: ReadonlySet<number> }>;

/** Unchanged rows that are shown around a change. */
const context = 3;
/** Fewer than these are not worth a fold. */
const leastFolded = 4;

/** The rows of a diff, all lines of both texts in order but those in a fold that is not opened. */
export function diffRows({ before, now, runs }: DiffTexts, { sideBySide, opened }: DiffLayout): readonly DiffRow[] {
  const rows: DiffRow[] = [];
  let [left, right] = [0, 0];
  for (let index = 0; index < runs.length; index += 1) {
    const run = runs[index];
    if (run === undefined) break;
    if (run.kind === 'same') {
      const same = sameRows(codeRows(before, left, left + run.count), codeRows(now, right, right + run.count));
      rows.push(...folded(same, index, opened, { first: index === 0, last: index === runs.length - 1 }));
      left += run.count;
      right += run.count;
      continue;
    }
    // A run of lines that went and one of lines that came, whichever stands first, are one change.
    const other = runs[index + 1];
    const both = other !== undefined && other.kind !== 'same' && other.kind !== run.kind ? [run, other] : [run];
    const gone = both.find(({ kind }) => kind === 'gone')?.count ?? 0;
    const fresh = both.find(({ kind }) => kind === 'new')?.count ?? 0;
    const changes = changeRows(codeRows(before, left, left + gone), codeRows(now, right, right + fresh));
    for (const row of sideBySide ? changes : unified(changes)) rows.push(row);
    left += gone;
    right += fresh;
    index += both.length - 1;
  }
  return rows;
}

/** Lines that went and that are new. */
export function countChanges(runs: readonly LineRun[]): Readonly<{ gone: number; fresh: number }> {
  const sum = (kind: LineRun['kind']): number =>
    runs.reduce((total, run) => total + (run.kind === kind ? run.count : 0), 0);
  return { gone: sum('gone'), fresh: sum('new') };
}

type SameRow = Extract<DiffRow, { kind: 'same' }>;
type ChangeRow = Extract<DiffRow, { kind: 'change' }>;

function sameRows(before: readonly CodeRow[], now: readonly CodeRow[]): readonly SameRow[] {
  return now.flatMap((row, index): SameRow[] => {
    const earlier = before[index];
    if (earlier === undefined) return [];
    return [{ kind: 'same', before: { ...earlier, changed: null }, now: { ...row, changed: null } }];
  });
}

function changeRows(before: readonly CodeRow[], now: readonly CodeRow[]): readonly ChangeRow[] {
  return Array.from({ length: Math.max(before.length, now.length) }, (_, index) => {
    const [left, right] = [before[index], now[index]];
    const inside = left === undefined || right === undefined ? null : intraLine(left.segments, right.segments);
    const side = (row: CodeRow | undefined, place: Place | undefined): DiffSide | null =>
      row === undefined ? null : { ...row, changed: place === undefined ? null : shifted(place, row.start) };
    return { kind: 'change', before: side(left, inside?.before), now: side(right, inside?.now) };
  });
}

const shifted = ({ from, to }: Place, by: number): Place => ({ from: from + by, to: to + by });

function unified(rows: readonly ChangeRow[]): readonly ChangeRow[] {
  const gone = rows.filter(({ before }) => before !== null).map((row): ChangeRow => ({ ...row, now: null }));
  const fresh = rows.filter(({ now }) => now !== null).map((row): ChangeRow => ({ ...row, before: null }));
  return [...gone, ...fresh];
}

/** A run that did not change, of which only what is next to a change is shown; at an end of the text one side has none. */
function folded(
  rows: readonly SameRow[],
  id: number,
  opened: ReadonlySet<number>,
  edge: Readonly<{ first: boolean; last: boolean }>,
): readonly DiffRow[] {
  const head = edge.first ? 0 : context;
  const tail = edge.last ? 0 : context;
  if (opened.has(id) || rows.length < head + tail + leastFolded) return rows;
  const hidden = rows.slice(head, rows.length - tail);
  const lines = (hidden.at(-1)?.now.to ?? 0) - (hidden[0]?.now.from ?? 1) + 1;
  return [...rows.slice(0, head), { kind: 'fold', id, lines }, ...rows.slice(rows.length - tail)];
}

import { useCallback, useEffect, useRef, useState } from 'react';
import type { RunPart, TextRow } from '../../../../contract/runView.ts';
import { messageOf, unwrap } from '../../../shared/api.ts';
import type { PageProps } from '../../App.tsx';

const chunk = 200;

export type TextSource = Readonly<{ api: PageProps['api']; id: string; part: RunPart }>;

export type ShownText = Readonly<{
  /** Rows of the whole text so far; null before the first answer. */
  total: number | null;
  row: (index: number) => TextRow | undefined;
  /** Reads what is missing of these rows, both ends included. */
  want: (first: number, last: number) => void;
  problem: string | null;
}>;

/**
 * A text of a run, of which only the rows near the screen are read. `grown` is another number whenever the text may be
 * longer: rows at its end are then read again, since the last one may have gone on.
 */
export function useTextRows({ api, id, part }: TextSource, grown: number): ShownText {
  const [, redraw] = useState(0);
  const [total, setTotal] = useState<number | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const chunks = useRef(new Map<number, readonly TextRow[]>());
  const asked = useRef(new Set<number>());

  const read = useCallback(
    async (index: number) => {
      if (asked.current.has(index)) return;
      asked.current.add(index);
      try {
        const { rows, total: now } = await unwrap(api.calls.runText({ id, part, from: index * chunk, count: chunk }));
        chunks.current.set(index, rows);
        setTotal((before) => Math.max(before ?? 0, now));
        setProblem(null);
        redraw((turn) => turn + 1);
      } catch (error) {
        setProblem(messageOf(error));
      } finally {
        asked.current.delete(index);
      }
    },
    [api, id, part],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: `grown` says that there may be more
  useEffect(() => {
    const last = Math.max(0, ...chunks.current.keys());
    void read(last);
  }, [read, grown]);

  const want = useCallback(
    (first: number, last: number) => {
      for (let index = Math.floor(first / chunk); index <= Math.floor(last / chunk); index += 1) {
        const rows = chunks.current.get(index);
        const isWhole = rows !== undefined && (rows.length === chunk || index * chunk + rows.length >= (total ?? 0));
        if (!isWhole) void read(index);
      }
    },
    [read, total],
  );
  const row = (index: number) => chunks.current.get(Math.floor(index / chunk))?.[index % chunk];
  return { total, row, want, problem };
}

import { useCallback, useEffect, useRef, useState } from 'react';
import type { AuditFilter, AuditLine } from '../../../../contract/audit.ts';
import { messageOf, unwrap } from '../../../shared/api.ts';
import type { PageProps } from '../../App.tsx';

const pageSize = 200;

export type AuditRows = Readonly<{
  /** Newest first; null while the first ones are read. */
  rows: readonly AuditLine[] | null;
  /** There are older ones, which `more` reads. */
  hasOlder: boolean;
  /** Newer ones that came meanwhile and that the list does not show yet. */
  fresh: number;
  problem: string | null;
  more: () => void;
  showFresh: () => void;
}>;

type Loaded = Readonly<{ rows: readonly AuditLine[] | null; hasOlder: boolean; fresh: readonly AuditLine[] }>;
const nothing: Loaded = { rows: null, hasOlder: false, fresh: [] };

/**
 * The log page by page, as far as the owner scrolls. What happens meanwhile is shown at once only at the top of the
 * list: nobody's place in it moves.
 */
export function useAuditRows(
  api: PageProps['api'],
  filter: AuditFilter,
  changes: number,
  atTop: () => boolean,
): AuditRows {
  const [loaded, setLoaded] = useState<Loaded>(nothing);
  const [problem, setProblem] = useState<string | null>(null);
  /** Answers to an earlier question count no more. */
  const turn = useRef(0);
  const loading = useRef(false);

  const read = useCallback(
    async (before: number | null, take: (page: readonly AuditLine[]) => void) => {
      const now = turn.current;
      try {
        const query = { ...filter, limit: pageSize, ...(before === null ? {} : { before_seq: before }) };
        const page = await unwrap(api.calls.audit(query));
        if (now !== turn.current) return;
        setProblem(null);
        take(page);
      } catch (error) {
        if (now === turn.current) setProblem(messageOf(error));
      }
    },
    [api, filter],
  );

  useEffect(() => {
    turn.current += 1;
    loading.current = false;
    setLoaded(nothing);
    void read(null, (rows) => setLoaded({ rows, hasOlder: rows.length === pageSize, fresh: [] }));
  }, [read]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `changes` says that there may be newer ones
  useEffect(() => {
    void read(null, (page) => {
      const shown = atTop();
      setLoaded((before) => withNewest(before, page, shown));
    });
  }, [changes]);

  const more = useCallback(() => {
    const last = loaded.rows?.at(-1);
    if (last === undefined || !loaded.hasOlder || loading.current) return;
    loading.current = true;
    void read(last.seq, (page) => {
      setLoaded((before) => ({
        ...before,
        rows: [...(before.rows ?? []), ...page],
        hasOlder: page.length === pageSize,
      }));
    }).finally(() => {
      loading.current = false;
    });
  }, [loaded, read]);

  const showFresh = useCallback(() => {
    setLoaded((before) => ({ ...before, rows: [...before.fresh, ...(before.rows ?? [])], fresh: [] }));
  }, []);

  return { rows: loaded.rows, hasOlder: loaded.hasOlder, fresh: loaded.fresh.length, problem, more, showFresh };
}

/** The newest page beside what is shown. When there is a gap between the two, only the newest page is left. */
function withNewest(before: Loaded, page: readonly AuditLine[], atTop: boolean): Loaded {
  const { rows } = before;
  if (rows === null) return before;
  const newest = rows[0]?.seq ?? 0;
  const fresh = page.filter(({ seq }) => seq > newest);
  if (fresh.length === 0) return before;
  if (fresh.length === page.length && page.length === pageSize) {
    return atTop ? { rows: page, hasOlder: true, fresh: [] } : { ...before, fresh };
  }
  return atTop ? { ...before, rows: [...fresh, ...rows], fresh: [] } : { ...before, fresh };
}

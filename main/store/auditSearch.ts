import { z } from 'zod';
import type { AuditFilter, AuditFound } from '../core/records.ts';
import type { AuditFacet } from './auditFacts.ts';
import { indexStateRow } from './auditIndexRows.ts';
import { int, intValue, maybe, maybeText, row } from './rowParser.ts';
import { auditRow } from './rows.ts';
import type { Sqlite } from './sqlite.ts';

/** Candidates looked at in one piece of a search: some ms of work. */
const budget = 4_000;
/** What is counted at most to find out which filter leaves least. */
const countAtMost = 256;

type Order = 'ASC' | 'DESC';
type Range = Readonly<{ low: number; high: number }>;

/** One filter: gives candidates in the order of the log, counts them, and judges a candidate that another one gave. */
type Filter = Readonly<{
  candidates: (range: Range, order: Order, limit: number) => readonly number[];
  holds: (seq: number) => boolean;
}>;

/** What was found so far; `next`: where to go on, null at the end of the log. */
export type AuditPiece = Readonly<{ events: readonly AuditFound[]; next: number | null }>;

const seqRow = row(z.object({ seq: int }));
const foundRow = row(z.object({ agent: maybeText, skill: maybeText }));
const noRange: Range = { low: 1, high: 0 };

/**
 * Reads the log by its index, never all of it: the filter that leaves least gives candidates in the order of the log, and
 * a look by key for each of the others says which of them count. Whatever is shown is read from the log itself.
 */
export class AuditSearch {
  readonly #db: Pick<Sqlite, 'get' | 'all'>;

  constructor(db: Pick<Sqlite, 'get' | 'all'>) {
    this.#db = db;
  }

  /**
   * One bounded piece: at most `limit` events before (`newest` first) or after (`oldest` first) `from`, not counting it.
   * Fewer with a `next` that is not null: the work of one piece is used up, there may be more.
   */
  piece(filter: AuditFilter, order: 'newest' | 'oldest', from: number | null, limit: number): AuditPiece {
    const direction: Order = order === 'newest' ? 'DESC' : 'ASC';
    const filters = this.#filters(filter);
    const range = filters === null ? noRange : narrowed(this.#timeRange(filter), order, from);
    if (filters === null || range.low > range.high) return { events: [], next: null };
    const [driver, others] = this.#parted(filters, range, direction);
    const events: AuditFound[] = [];
    let looked = 0;
    let rest = range;
    while (looked < budget) {
      const wanted = Math.min(budget - looked, Math.max(limit, looked));
      const candidates = driver.candidates(rest, direction, wanted);
      for (const seq of candidates) {
        looked += 1;
        const event = others.every(({ holds }) => holds(seq)) ? this.event(seq, filter) : null;
        if (event !== null) events.push(event);
        if (events.length === limit) return { events, next: seq };
      }
      const last = candidates.at(-1);
      if (last === undefined || candidates.length < wanted) return { events, next: null };
      rest = narrowed(rest, order, last);
    }
    return { events, next: order === 'newest' ? rest.high + 1 : rest.low - 1 };
  }

  /** Names of this facet that begin so, in their order. */
  values(facet: AuditFacet, begins: string, limit: number): readonly string[] {
    const text = begins.replaceAll('\0', '');
    return this.#db
      .all('SELECT value FROM audit_values WHERE facet = ? AND value >= ? AND value < ? ORDER BY value LIMIT ?', [
        facet,
        text,
        `${text}\u{10ffff}`,
        limit,
      ])
      .map((found) => valueRow(found).value);
  }

  /** Null: nothing can be found, because no event has this value. */
  #filters(filter: AuditFilter): readonly Filter[] | null {
    const { requestId, search } = filter;
    const facets = facetsOf(filter).map(([facet, value]) => this.#facet(facet, value));
    const words = search === undefined ? null : ftsWords(search);
    if (facets.includes(null) || words === '') return null;
    // Words first: among those that leave as much they drive, because looking one of them up by key takes longest.
    return [
      ...(words === null ? [] : [this.#words(words)]),
      ...facets.filter((found) => found !== null),
      ...(requestId === undefined ? [] : [this.#request(requestId)]),
    ];
  }

  #parted(filters: readonly Filter[], range: Range, order: Order): readonly [Filter, readonly Filter[]] {
    if (filters.length < 2) return [filters[0] ?? this.#wholeLog(), []];
    const counted = filters
      .map((filter) => ({ filter, count: filter.candidates(range, order, countAtMost).length }))
      .sort((a, b) => a.count - b.count)
      .map(({ filter }) => filter);
    return [counted[0] ?? this.#wholeLog(), counted.slice(1)];
  }

  #facet(facet: AuditFacet, value: string): Filter | null {
    const id = maybe(
      intValue,
      this.#db.get('SELECT id AS value FROM audit_values WHERE facet = ? AND value = ?', [facet, value]),
    );
    if (id === null) return null;
    return {
      candidates: ({ low, high }, order, limit) =>
        this.#seqs(
          `SELECT seq FROM audit_facets WHERE value_id = ? AND seq BETWEEN ? AND ? ORDER BY seq ${order} LIMIT ?`,
          [id, low, high, limit],
        ),
      holds: (seq) =>
        this.#db.get('SELECT 1 FROM audit_facets WHERE value_id = ? AND seq = ?', [id, seq]) !== undefined,
    };
  }

  /** FTS5 leaves a bound out of account that is not an integer, and every number of JavaScript is bound as a real. */
  #words(words: string): Filter {
    return {
      candidates: ({ low, high }, order, limit) =>
        this.#seqs(
          `SELECT rowid AS seq FROM audit_words WHERE audit_words MATCH ?
             AND rowid BETWEEN CAST(? AS INTEGER) AND CAST(? AS INTEGER)
           ORDER BY rowid ${order} LIMIT ?`,
          [words, low, high, limit],
        ),
      holds: (seq) =>
        this.#db.get('SELECT 1 FROM audit_words WHERE audit_words MATCH ? AND rowid = CAST(? AS INTEGER)', [
          words,
          seq,
        ]) !== undefined,
    };
  }

  #request(id: string): Filter {
    return {
      candidates: ({ low, high }, order, limit) =>
        this.#seqs(
          `SELECT seq FROM audit_events WHERE request_id = ? AND seq BETWEEN ? AND ? ORDER BY seq ${order} LIMIT ?`,
          [id, low, high, limit],
        ),
      holds: (seq) =>
        this.#db.get('SELECT 1 FROM audit_events WHERE seq = ? AND +request_id = ?', [seq, id]) !== undefined,
    };
  }

  #wholeLog(): Filter {
    return {
      candidates: ({ low, high }, order, limit) =>
        this.#seqs(`SELECT seq FROM audit_events WHERE seq BETWEEN ? AND ? ORDER BY seq ${order} LIMIT ?`, [
          low,
          high,
          limit,
        ]),
      holds: () => true,
    };
  }

  #seqs(sql: string, params: readonly (string | number)[]): readonly number[] {
    return this.#db.all(sql, params).map((found) => seqRow(found).seq);
  }

  /** Null: there is none, or not within these times. */
  event(seq: number, { since, until }: AuditFilter = {}): AuditFound | null {
    const found = this.#db.get(
      `SELECT audit_events.*, requests.skill_id AS skill, agents.name AS agent FROM audit_events
       LEFT JOIN requests ON requests.id = audit_events.request_id
       LEFT JOIN agents ON agents.id = coalesce(requests.agent_id,
         CASE WHEN audit_events.actor LIKE 'agent:%' THEN substr(audit_events.actor, 7) END,
         CASE WHEN json_valid(audit_events.payload) THEN audit_events.payload ->> '$.agent_id' END)
       WHERE audit_events.seq = ?`,
      [seq],
    );
    // Between an index of yesterday and a log that somebody cut.
    if (found === undefined) return null;
    const { event } = auditRow(found);
    if (event.at < (since ?? event.at) || event.at > (until ?? event.at)) return null;
    return { ...event, ...foundRow(found) };
  }

  /**
   * Where in the log these times can be. Clocks are set back: an event can be late in the log for its time, but never by
   * more than the index has ever seen.
   */
  #timeRange({ since, until }: AuditFilter): Range {
    const low =
      since === undefined
        ? null
        : maybe(
            intValue,
            this.#db.get('SELECT seq AS value FROM audit_marks WHERE at <= ? ORDER BY at DESC LIMIT 1', [since]),
          );
    const end = until === undefined ? null : this.#end(until);
    return { low: low ?? 1, high: end === null ? Number.MAX_SAFE_INTEGER : end - 1 };
  }

  #end(until: number): number | null {
    const { setback } = indexStateRow(this.#db.get('SELECT seq, newest_at, setback FROM audit_index'));
    return maybe(
      intValue,
      this.#db.get('SELECT seq AS value FROM audit_marks WHERE at > ? ORDER BY at LIMIT 1', [until + setback]),
    );
  }
}

const valueRow = row(z.object({ value: z.string() }));

function facetsOf({ agent, skill, secret, host, kind }: AuditFilter): readonly (readonly [AuditFacet, string])[] {
  const group = kind === undefined ? null : /^([^.]*)\.\*?$/.exec(kind)?.[1];
  const asked: readonly (readonly [AuditFacet, string | undefined])[] = [
    ['agent', agent],
    ['skill', skill],
    ['secret', secret],
    ['host', host],
    typeof group === 'string' ? ['group', group] : ['kind', kind],
  ];
  return asked.flatMap(([facet, value]) => (value === undefined ? [] : [[facet, value] as const]));
}

/**
 * What somebody typed as words that must all be there, each in quotes, so that none is a sign of the search's own
 * language. Empty when there is no letter and no digit in it.
 */
export function ftsWords(text: string): string {
  return text
    .replaceAll('\0', ' ')
    .split(/\s+/u)
    .filter((word) => /[\p{L}\p{N}]/u.test(word))
    .map((word) => `"${word.replaceAll('"', '""')}"`)
    .join(' ');
}

function narrowed({ low, high }: Range, order: 'newest' | 'oldest', from: number | null): Range {
  if (from === null) return { low, high };
  return order === 'newest' ? { low, high: Math.min(high, from - 1) } : { low: Math.max(low, from + 1), high };
}

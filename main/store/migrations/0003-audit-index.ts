import type { Migration } from './migration.ts';

/**
 * What makes the audit log searchable. All of it follows from the log and is written behind it, up to `audit_index.seq`:
 * intake waits for none of this, and what a crash takes away is made again.
 */
export const auditIndex: Migration = {
  version: 3,
  name: 'audit-index',
  sql: `
-- One row, id 1. newest_at: the latest time of any event up to seq; setback: how far an event was ever behind it.
CREATE TABLE audit_index (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL,
  newest_at INTEGER NOT NULL,
  setback INTEGER NOT NULL
) STRICT;
INSERT INTO audit_index (id, seq, newest_at, setback) VALUES (1, 0, 0, 0);

-- facet: agent, skill, secret, host, kind, or group (the kind up to its dot).
CREATE TABLE audit_values (
  id INTEGER PRIMARY KEY,
  facet TEXT NOT NULL,
  value TEXT NOT NULL,
  UNIQUE (facet, value)
) STRICT;
CREATE TABLE audit_facets (
  value_id INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (value_id, seq)
) STRICT, WITHOUT ROWID;

-- No event before seq is as late as at: where in the log a time begins, and where it ends.
CREATE TABLE audit_marks (
  at INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL
) STRICT;

-- Holds no text of its own, only which word is in which event.
CREATE VIRTUAL TABLE audit_words USING fts5
  (words, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2');

-- Counts by quarters of an hour since 1970: every time zone's days are made of whole ones.
CREATE TABLE audit_counts (
  quarter INTEGER NOT NULL,
  what TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (quarter, what)
) STRICT, WITHOUT ROWID;
-- How long each request waited that somebody decided about.
CREATE TABLE audit_waits (
  at INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  took_ms INTEGER NOT NULL,
  PRIMARY KEY (at, seq)
) STRICT, WITHOUT ROWID;

-- Text that is taken away is not found any more either.
CREATE TRIGGER audit_events_forgotten AFTER UPDATE OF payload ON audit_events
WHEN NEW.payload IS NULL AND OLD.payload IS NOT NULL BEGIN
  DELETE FROM audit_words WHERE rowid = OLD.seq;
  DELETE FROM audit_facets WHERE seq = OLD.seq AND value_id IN (
    SELECT audit_values.id FROM audit_values
    JOIN json_tree(CASE WHEN json_valid(OLD.payload) THEN OLD.payload ELSE 'null' END) AS said
      ON audit_values.value = said.atom
    WHERE audit_values.facet IN ('agent', 'skill', 'secret', 'host'));
END;
`,
};

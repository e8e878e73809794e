import { DatabaseTooNewError } from './errors.ts';
import type { Migration } from './migrations/migration.ts';
import { intValue } from './rowParser.ts';
import type { Sqlite } from './sqlite.ts';

/** The version of the schema that the file has; 0 for a new file. */
export function schemaVersion(db: Sqlite): number {
  return intValue(db.get('SELECT user_version AS value FROM pragma_user_version'));
}

/** Refuses a file of a newer app before anything touches it. */
export function refuseNewer(db: Sqlite, migrations: readonly Migration[], path: string): void {
  const found = schemaVersion(db);
  if (found > migrations.length) {
    throw new DatabaseTooNewError(path, found, migrations.length);
  }
}

/** Takes the file forward, one transaction a step, so that a crash leaves it at a whole version. */
export function migrate(db: Sqlite, migrations: readonly Migration[], nowMs: number): void {
  for (const { version, name, sql } of migrations) {
    db.write(() => {
      if (schemaVersion(db) >= version) {
        return;
      }
      db.exec(
        'CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT',
      );
      db.exec(sql);
      db.run('INSERT INTO schema_migrations (version, name, applied_at) VALUES (?, ?, ?)', [version, name, nowMs]);
      db.exec(`PRAGMA user_version = ${version}`);
    });
  }
}

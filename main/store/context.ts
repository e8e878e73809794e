import type { Log } from '../core/log.ts';
import type { AuditLog } from './audit.ts';
import type { RelaxedWriter } from './relaxed.ts';
import type { Seal } from './seal.ts';
import type { Sqlite } from './sqlite.ts';

/** What the parts of the store share: the connection that waits for the disk, the one that does not, and the log. */
export type StoreContext = Readonly<{
  db: Sqlite;
  relaxed: RelaxedWriter;
  audit: AuditLog;
  seal: Seal;
  log: Log;
}>;

import type { Clock } from '../core/clock.ts';
import type { Records } from '../core/records.ts';
import type { StoreContext } from './context.ts';
import { StorageFault } from './sqlite.ts';

const goodForMs = 1_000;

/**
 * Whether the database takes writes. Anybody who can reach `/health` may ask, so a commit that worked a moment ago
 * counts; otherwise, and after every fault, a few pages are written and taken away again.
 */
export function healthRecords({ db }: StoreContext, clock: Clock): Pick<Records, 'health'> {
  let seenCommits = -1;
  let goodAtMs = Number.NEGATIVE_INFINITY;

  return {
    health() {
      const nowMs = clock.monotonicMs();
      if (db.commits !== seenCommits) {
        seenCommits = db.commits;
        goodAtMs = nowMs;
      }
      if (db.fault === null && nowMs - goodAtMs < goodForMs) {
        return 'ok';
      }
      try {
        db.write(() => {
          db.run('INSERT OR REPLACE INTO health_probe (id, filler) VALUES (1, zeroblob(8192))');
          db.run('DELETE FROM health_probe');
        });
        goodAtMs = nowMs;
        return 'ok';
      } catch (error) {
        if (error instanceof StorageFault) {
          return 'error';
        }
        throw error;
      }
    },
  };
}

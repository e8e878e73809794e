import type { Records } from '../core/records.ts';
import type { StoreContext } from './context.ts';

export type RetentionRecords = Pick<Records, 'prune'>;

/**
 * Forgets what is past its time: results, traffic, and requests that never became a run, with the code that nothing
 * else names. What ran stays in the list, its code stays to be compared with, and the audit log stays whole.
 */
export function retentionRecords({ db, relaxed }: StoreContext): RetentionRecords {
  return {
    prune({ resultsBefore, trafficBefore }) {
      relaxed.now((quick) => {
        quick.run('DELETE FROM egress_log WHERE at < ?', [trafficBefore]);
        quick.run("DELETE FROM pairings WHERE status <> 'pending' AND expires_at < ?", [trafficBefore]);
      });
      db.write(() => {
        db.run('UPDATE executions SET result = NULL WHERE result IS NOT NULL AND finished_at < ?', [resultsBefore]);
        db.run(
          `DELETE FROM requests WHERE approval_id IS NULL AND finished_at < ?
             AND status IN ('denied', 'expired', 'cancelled')`,
          [resultsBefore],
        );
        db.run(
          `DELETE FROM manifests WHERE created_at < ?
             AND digest NOT IN (SELECT manifest_digest FROM requests UNION SELECT manifest_digest FROM approvals)`,
          [resultsBefore],
        );
        db.run(
          `DELETE FROM code_blobs WHERE created_at < ?
             AND sha256 NOT IN (SELECT code_hash FROM manifests UNION SELECT code_hash FROM skills)`,
          [resultsBefore],
        );
      });
    },
  };
}

import { canonicalJson, sha256Hex } from '../core/digest.ts';
import type { EgressRecord, FinishInput, Records } from '../core/records.ts';
import type { StoreContext } from './context.ts';
import { findRequest, requestsIn, requireRequest } from './requests.ts';
import type { Sqlite } from './sqlite.ts';
import { forgetReminders, queueWake } from './wake.ts';

export type RunRecords = Pick<
  Records,
  'startRun' | 'finishRun' | 'failApproved' | 'interruptUnfinished' | 'markResultFetched'
>;

/** From an approval to a result. The start is on disk before anything runs; a run without its end is `interrupted`. */
export function runRecords({ db, relaxed, audit }: StoreContext): RunRecords {
  return {
    startRun: (requestId, { runId, nowMs }) =>
      db.write(() => {
        const changed = db.run(
          "UPDATE requests SET status = 'running', started_at = ? WHERE id = ? AND status = 'approved'",
          [nowMs, requestId],
        );
        if (changed !== 1) {
          return false;
        }
        const { skillId, codeHash, manifestDigest } = requireRequest(db, requestId);
        db.run(
          `INSERT INTO executions (id, request_id, skill_id, code_hash, status, approved, executed_at, created_at)
           VALUES (?, ?, ?, ?, 'running', 1, ?, ?)`,
          [runId, requestId, skillId, codeHash, nowMs, nowMs],
        );
        audit.append(
          {
            actor: 'broker',
            kind: 'run.started',
            requestId,
            payload: { run_id: runId, manifest_digest: manifestDigest },
          },
          nowMs,
        );
        return true;
      }),

    finishRun(input) {
      if (findRequest(db, input.requestId)?.status !== 'running') {
        return false;
      }
      // Traffic first: what left the machine is on record even if the end of the run cannot be written.
      relaxed.now((quick) => replaceTraffic(quick, input.requestId, input.egress));
      return db.write(() => {
        const changed = endRequest(db, input, 'running');
        if (changed) {
          const result = input.result === null ? null : JSON.stringify(input.result);
          const durationMs = input.result === null ? null : Math.round(input.result.durationMs);
          db.run(
            'UPDATE executions SET status = ?, duration_ms = ?, result = ?, finished_at = ? WHERE request_id = ?',
            [input.status, durationMs, result, input.nowMs, input.requestId],
          );
          audit.append(
            {
              actor: 'broker',
              kind: 'run.finished',
              requestId: input.requestId,
              payload: finishFacts(input),
            },
            input.nowMs,
          );
          if (input.wakeText !== null) {
            queueWake(db, requireRequest(db, input.requestId), input.wakeText, input.nowMs);
          }
        }
        return changed;
      });
    },

    failApproved: (requestId, error, nowMs, wakeText) =>
      db.write(() => {
        const changed = endRequest(db, { requestId, status: 'failed', error, nowMs }, 'approved');
        if (changed) {
          audit.append({ actor: 'broker', kind: 'run.refused', requestId, payload: { code: error.code } }, nowMs);
          if (wakeText !== null) {
            queueWake(db, requireRequest(db, requestId), wakeText, nowMs);
          }
        }
        return changed;
      }),

    interruptUnfinished: (nowMs, wakeText) =>
      db.write(() => {
        const unfinished = [...requestsIn(db, 'approved'), ...requestsIn(db, 'running')];
        return unfinished.map((request) => {
          const error = { code: 'interrupted', message: 'OAuth3 stopped before this run ended. Ask again.' };
          endRequest(db, { requestId: request.id, status: 'interrupted', error, nowMs }, request.status);
          db.run("UPDATE executions SET status = 'interrupted', finished_at = ? WHERE request_id = ?", [
            nowMs,
            request.id,
          ]);
          audit.append(
            { actor: 'broker', kind: 'run.interrupted', requestId: request.id, payload: { was: request.status } },
            nowMs,
          );
          const ended = requireRequest(db, request.id);
          queueWake(db, ended, wakeText(ended), nowMs);
          return ended;
        });
      }),

    markResultFetched(requestId, nowMs) {
      if (findRequest(db, requestId)?.resultFetchedAt !== null) {
        return;
      }
      relaxed.now((quick) => {
        quick.run('UPDATE requests SET result_fetched_at = ? WHERE id = ? AND result_fetched_at IS NULL', [
          nowMs,
          requestId,
        ]);
        forgetReminders(quick, requestId);
      });
    },
  };
}

type End = Readonly<{
  requestId: string;
  status: 'success' | 'failed' | 'interrupted';
  error: FinishInput['error'];
  nowMs: number;
}>;

function endRequest(db: Sqlite, end: End, from: string): boolean {
  const changed = db.run(
    `UPDATE requests SET status = ?, finished_at = ?, error_code = ?, error_message = ? WHERE id = ? AND status = ?`,
    [end.status, end.nowMs, end.error?.code ?? null, end.error?.message ?? null, end.requestId, from],
  );
  return changed === 1;
}

function finishFacts({ status, result, error, egress }: FinishInput): unknown {
  return {
    status,
    ...(error === null ? {} : { code: error.code }),
    ...(result === null
      ? {}
      : {
          exit_code: result.exitCode,
          duration_ms: Math.round(result.durationMs),
          timed_out: result.timedOut,
          truncated: result.truncated,
          redactions: result.redactions,
        }),
    requests_out: egress.filter(({ refused }) => refused === null).length,
    requests_refused: egress.filter(({ refused }) => refused !== null).length,
    // The rows are pruned one day; this says then whether what somebody kept of them is what was written.
    ...(egress.length === 0 ? {} : { hosts: hostsOf(egress), egress_sha256: sha256Hex(canonicalJson(egress)) }),
  };
}

const maxHosts = 32;

/** Where a run called or tried to, each once, the first ones only: a wildcard lets it name as many as it likes. */
function hostsOf(egress: readonly EgressRecord[]): readonly string[] {
  return [...new Set(egress.map(({ host, port }) => `${host}:${port}`))].slice(0, maxHosts);
}

/** The traffic of a run is handed over whole, so writing it twice leaves it once. */
function replaceTraffic(db: Sqlite, requestId: string, egress: readonly EgressRecord[]): void {
  if (egress.length === 0) {
    return;
  }
  db.run('DELETE FROM egress_log WHERE request_id = ?', [requestId]);
  for (const row of egress) {
    db.run(
      `INSERT INTO egress_log (request_id, at, method, host, port, path, status, bytes_in, bytes_out, duration_ms,
         secrets, refused, placeholder_in_body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        requestId,
        row.at,
        row.method,
        row.host,
        row.port,
        row.path,
        row.status,
        row.bytesIn,
        row.bytesOut,
        Math.round(row.durationMs),
        JSON.stringify(row.secrets),
        row.refused,
        row.placeholderInBody ? 1 : 0,
      ],
    );
  }
}

import type { EgressView, ExecuteAnswer, RequestView, ResultView } from '../../contract/bridge.ts';
import type { EgressRecord, Records, RequestRecord, RunResult } from '../core/records.ts';
import { isoTime } from '../core/times.ts';

export type ViewRecords = Pick<Records, 'result' | 'egressOf'>;

/** A request as its agent sees it (INTERFACES 1). `waitsFor`: why what is approved has not started yet. */
export function requestView(request: RequestRecord, records: ViewRecords, waitsFor: string | null): RequestView {
  const finished = request.status === 'success' || request.status === 'failed';
  const result = finished ? records.result(request.id) : null;
  return {
    request_id: request.id,
    skill_id: request.skillId,
    status: request.status,
    created_at: isoTime(request.createdAt),
    expires_at: isoTime(request.expiresAt),
    ...(request.decidedAt !== null && { decided_at: isoTime(request.decidedAt) }),
    ...(request.decision !== null && { decision: request.decision }),
    ...(request.denyReason !== null && { deny_reason: request.denyReason }),
    ...(waitsFor !== null && { waiting_for: waitsFor }),
    ...(request.startedAt !== null && { executed_at: isoTime(request.startedAt) }),
    ...(result !== null && { result: resultView(result, records.egressOf(request.id)) }),
    ...(request.error !== null && { error: request.error }),
  };
}

function resultView(result: RunResult, egress: readonly EgressRecord[]): ResultView {
  return {
    stdout: result.stdout,
    stderr: result.stderr,
    exit_code: result.exitCode,
    ...(result.signal !== null && { signal: result.signal }),
    duration: result.durationMs,
    timed_out: result.timedOut,
    truncated: result.truncated,
    redactions: result.redactions,
    egress: egress.map(egressView),
  };
}

function egressView(row: EgressRecord): EgressView {
  return {
    method: row.method,
    // Of what was refused before it said whom it is for, there is no host.
    host: row.port === 443 || row.host === '' ? row.host : `${row.host}:${row.port}`,
    path: row.path,
    status: row.status,
    bytes_in: row.bytesIn,
    bytes_out: row.bytesOut,
    duration: row.durationMs,
    secrets: row.secrets,
    ...(row.refused !== null && { refused: row.refused }),
  };
}

/** The answer of `POST /execute` that carries the result. */
export function finishedAnswer(
  request: RequestRecord,
  status: 'success' | 'failed',
  result: RunResult | null,
): ExecuteAnswer {
  return {
    status,
    request_id: request.id,
    stdout: result?.stdout ?? '',
    stderr: result?.stderr ?? '',
    duration: result?.durationMs ?? 0,
    exit_code: result?.exitCode ?? null,
    trusted: request.trusted,
    ...(result?.timedOut === true && { timed_out: true }),
    ...(result?.truncated === true && { truncated: true }),
    ...(request.error !== null && { error: request.error }),
  };
}

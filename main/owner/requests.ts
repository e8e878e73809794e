import { CodedError } from '../../contract/errors.ts';
import type { OwnerActions, RequestRow } from '../../contract/owner.ts';
import type { EgressRecord, RequestRecord, RunResult } from '../core/records.ts';
import { isoTime, isoTimeOrNull } from '../core/times.ts';
import type { OwnerDeps } from './ports.ts';

const defaultLimit = 100;
const minuteMs = 60_000;
const maxExtensionMinutes = 1440;

/** As agents see it (INTERFACES 1), so that there is one shape of a result. */
const resultView = (result: RunResult) => ({
  stdout: result.stdout,
  stderr: result.stderr,
  exit_code: result.exitCode,
  ...(result.signal === null ? {} : { signal: result.signal }),
  duration: result.durationMs,
  timed_out: result.timedOut,
  truncated: result.truncated,
  redactions: result.redactions,
});

const egressView = (row: EgressRecord) => ({
  at: isoTime(row.at),
  method: row.method,
  host: row.host,
  port: row.port,
  path: row.path,
  status: row.status,
  bytes_in: row.bytesIn,
  bytes_out: row.bytesOut,
  duration: row.durationMs,
  secrets: row.secrets,
  refused: row.refused,
  placeholder_in_body: row.placeholderInBody,
});

type RequestActions = Pick<OwnerActions, 'requests' | 'requestDetail' | 'extendRequest' | 'killRun'>;

/** What agents asked for: to read, to give more time, to stop. */
export function requestActions({ records, clock, runs, events }: OwnerDeps): RequestActions {
  const row = (request: RequestRecord): RequestRow => ({
    request_id: request.id,
    agent: records.agent(request.agentId)?.name ?? request.agentId,
    skill_id: request.skillId,
    status: request.status,
    created_at: isoTime(request.createdAt),
    expires_at: isoTime(request.expiresAt),
    decided_at: isoTimeOrNull(request.decidedAt),
    decision: request.decision,
    decided_by: request.decidedBy,
    trusted: request.trusted,
    waiting_for: runs.waitsFor(request.id),
  });

  const find = (id: string): RequestRecord => {
    const request = records.request(id);
    if (request === null) throw new CodedError('not_found', 'There is no request with this id');
    return request;
  };

  return {
    requests: (filter) =>
      records
        .requests({
          limit: filter.limit ?? defaultLimit,
          ...(filter.status === undefined ? {} : { status: filter.status }),
        })
        .map(row),

    requestDetail(id) {
      const request = find(id);
      const code = records.code(request.codeHash);
      const result = records.result(id);
      return {
        ...row(request),
        manifest: records.manifest(request.manifestDigest),
        manifest_digest: request.manifestDigest,
        code: code === null ? null : new TextDecoder().decode(code),
        result: result === null ? null : resultView(result),
        error: request.error,
        egress: records.egressOf(id).map(egressView),
      };
    },

    extendRequest(principal, id, minutes) {
      if (!Number.isInteger(minutes) || minutes < 1 || minutes > maxExtensionMinutes) {
        throw new CodedError('invalid_request', `Give whole minutes from 1 to ${maxExtensionMinutes}`);
      }
      find(id);
      const nowMs = clock.wallMs();
      if (!records.extendRequest(id, nowMs + minutes * minuteMs, principal, nowMs)) {
        throw new CodedError('already_decided', 'This request does not wait any more');
      }
      events.emitChanged(find(id));
    },

    killRun(principal, requestId) {
      const request = find(requestId);
      if (!runs.kill(requestId)) {
        throw new CodedError('already_decided', `This request is ${request.status}; there is nothing to stop`);
      }
      records.appendAudit({ actor: principal, kind: 'run.killed', requestId, payload: {} }, clock.wallMs());
    },
  };
}

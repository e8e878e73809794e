import { CodedError } from '../../contract/errors.ts';
import type { OwnerActions } from '../../contract/owner.ts';
import {
  type ExchangeView,
  maxExchanges,
  type RunDetail,
  type RunFilter,
  type RunPulse,
  type RunRow,
  type StreamView,
} from '../../contract/runView.ts';
import { isFinal, type RequestState } from '../../contract/states.ts';
import { manifestDigest } from '../core/digest.ts';
import { toSegments } from '../core/display.ts';
import type { ExchangeRecord } from '../core/egressSpec.ts';
import { byWhom } from '../core/principal.ts';
import type { RequestRecord } from '../core/records.ts';
import type { TextLayout } from '../core/textRows.ts';
import type { OwnerDeps } from './ports.ts';
import { runSentence } from './runSentence.ts';
import { RunTexts } from './runTexts.ts';

const pageSize = 50;
/** Of a name in a list; the whole stands in the manifest. */
const maxNameChars = 120;
const httpsPort = 443;

const active: readonly RequestState[] = ['running', 'approved'];
const ended: Readonly<Record<RunFilter, readonly RequestState[]>> = {
  all: ['success', 'failed', 'interrupted', 'denied', 'expired', 'cancelled'],
  active: [],
  succeeded: ['success'],
  failed: ['failed', 'interrupted'],
  refused: ['denied', 'expired', 'cancelled'],
};

type RunActions = Pick<OwnerActions, 'runs' | 'run' | 'runPulse' | 'runText' | 'runExchanges' | 'closeRun'>;

/** What ran, what runs now and what never did: to look at. */
export function runActions({ records, runs }: Pick<OwnerDeps, 'records' | 'runs'>): RunActions {
  const texts = new RunTexts({ records, runs });

  const find = (id: string): RequestRecord => {
    const request = records.request(id);
    if (request === null) throw new CodedError('not_found', 'There is no request with this id');
    return request;
  };

  const row = (request: RequestRecord): RunRow => {
    const manifest = records.manifest(request.manifestDigest);
    const { startedAt, finishedAt } = request;
    const agent = records.agent(request.agentId)?.name ?? request.agentId;
    return {
      id: request.id,
      agent: toSegments(agent, { maxChars: maxNameChars }),
      skill: toSegments(request.skillId, { maxChars: maxNameChars }),
      status: request.status,
      createdAtMs: request.createdAt,
      startedAtMs: startedAt,
      durationMs: startedAt === null || finishedAt === null ? null : Math.max(0, finishedAt - startedAt),
      decision: request.decision,
      trusted: request.trusted,
      runtime: manifest?.runtime ?? null,
      isolation: manifest?.isolation.actual ?? null,
      waitingFor: runs.waitsFor(request.id),
    };
  };

  const exchangesOf = (id: string): readonly ExchangeRecord[] => runs.live(id)?.egress() ?? records.egressOf(id);

  const pulse = (request: RequestRecord): RunPulse => {
    const { id, status } = request;
    const live = runs.live(id);
    const result = live === null && isFinal(status) ? records.result(id) : null;
    return {
      id,
      status,
      stdout: streamView(texts.of(request, 'stdout')),
      stderr: streamView(texts.of(request, 'stderr')),
      truncated: live === null ? (result?.truncated ?? false) : live.stdout.truncated || live.stderr.truncated,
      redactions: live === null ? (result?.redactions ?? 0) : live.stdout.redactions + live.stderr.redactions,
      exchanges: exchangesOf(id).length,
    };
  };

  return {
    runs({ show, agentId, after }) {
      const ofAgent = agentId === undefined ? {} : { agentId };
      const withActive = (show === 'all' || show === 'active') && after === undefined;
      const first = withActive ? records.requestPage(active, { ...ofAgent, limit: Number.MAX_SAFE_INTEGER }) : [];
      const isRunning = ({ status }: RequestRecord): boolean => status === 'running';
      const page = records.requestPage(ended[show], {
        ...ofAgent,
        limit: pageSize + 1,
        ...(after !== undefined && { after }),
      });
      const shown = page.slice(0, pageSize);
      const ordered = [...first.filter(isRunning), ...first.filter((request) => !isRunning(request)), ...shown];
      return { rows: ordered.map(row), next: page.length > pageSize ? (shown.at(-1)?.id ?? null) : null };
    },

    run(id): RunDetail {
      const request = find(id);
      const manifest = records.manifest(request.manifestDigest);
      const result = records.result(id);
      const shown = row(request);
      return {
        ...shown,
        durationMs: result?.durationMs ?? shown.durationMs,
        sentence: runSentence(request, result, shown.waitingFor),
        output: outputOf(request, runs.live(id) !== null, result !== null),
        pulse: pulse(request),
        expiresAtMs: request.expiresAt,
        decidedAtMs: request.decidedAt,
        finishedAtMs: request.finishedAt,
        decided: {
          verdict: request.decision,
          by: request.decidedBy === null ? null : byWhom(request.decidedBy),
          trusted: request.trusted,
          reason: request.denyReason === null ? null : toSegments(request.denyReason, { multiline: true }),
        },
        manifestDigest: request.manifestDigest,
        manifestMatches: manifest !== null && manifestDigest(manifest) === request.manifestDigest,
        codeHash: request.codeHash,
        codeBytes: manifest?.code.length ?? 0,
        codeKept: texts.of(request, 'code') !== null,
        hasArguments: manifest !== null && manifest.args.json !== '{}',
        exitCode: result?.exitCode ?? null,
        timeoutMs: manifest?.limits.timeoutMs ?? null,
        timedOut: result?.timedOut ?? false,
      };
    },

    runPulse: (id) => pulse(find(id)),

    runText({ id, part, from, count }) {
      const layout = texts.of(find(id), part);
      if (layout === null) return { rows: [], total: 0, lines: 0 };
      return { rows: layout.rows(from, count), total: layout.total, lines: layout.lines };
    },

    runExchanges({ id, from }) {
      const all = exchangesOf(find(id).id);
      return { rows: all.slice(from, from + maxExchanges).map(exchangeView), total: all.length };
    },

    closeRun: () => texts.forget(),
  };
}

function outputOf({ status, startedAt, error }: RequestRecord, live: boolean, kept: boolean): RunDetail['output'] {
  if (live) return 'live';
  if (kept) return 'kept';
  // Every run that ended by itself left a result, unless something of ours broke.
  const hadResult = (status === 'success' || status === 'failed') && startedAt !== null && error?.code !== 'internal';
  return hadResult ? 'gone' : 'none';
}

const streamView = (layout: TextLayout | null): StreamView => ({
  characters: layout?.characters ?? 0,
  lines: layout?.lines ?? 0,
});

const exchangeView = (record: ExchangeRecord): ExchangeView => ({
  atMs: record.at,
  method: toSegments(record.method),
  host: toSegments(record.port === httpsPort || record.host === '' ? record.host : `${record.host}:${record.port}`),
  path: toSegments(record.path),
  status: record.status,
  bytesIn: record.bytesIn,
  bytesOut: record.bytesOut,
  durationMs: record.durationMs,
  secrets: record.secrets.map((name) => toSegments(name)),
  refused: record.refused,
  placeholderInBody: record.placeholderInBody,
});

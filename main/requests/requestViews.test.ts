import { expect, it } from 'vitest';
import type { EgressRecord, RequestRecord } from '../core/records.ts';
import { requestView } from './requestViews.ts';

const request: RequestRecord = {
  id: 'req_1',
  agentId: 'agt_1',
  skillId: 'skill',
  status: 'success',
  manifestDigest: 'digest',
  trustKey: 'key',
  codeHash: 'hash',
  idempotencyKey: null,
  bodyHash: 'body',
  createdAt: 0,
  expiresAt: 1,
  decidedAt: 1,
  decision: 'once',
  decidedBy: 'desktop',
  denyReason: null,
  startedAt: 1,
  finishedAt: 2,
  approvalId: 'apr_1',
  trusted: false,
  requestBindings: {},
  error: null,
  resultFetchedAt: null,
};
const row: EgressRecord = {
  requestId: 'req_1',
  at: 1,
  method: 'GET',
  host: 'api.example.com',
  port: 443,
  path: '/',
  status: 200,
  bytesIn: 0,
  bytesOut: 0,
  durationMs: 1,
  secrets: [],
  refused: null,
  placeholderInBody: false,
};
const result = {
  stdout: '',
  stderr: '',
  exitCode: 0,
  signal: null,
  durationMs: 1,
  timedOut: false,
  truncated: false,
  redactions: 0,
};

it.each([
  ['api.example.com', 443, 'api.example.com'],
  ['api.example.com', 8443, 'api.example.com:8443'],
  ['', 0, ''],
])('a row about %j port %i names its host as %j', (host, port, shown) => {
  const view = requestView(request, { result: () => result, egressOf: () => [{ ...row, host, port }] }, null);
  expect(view.result?.egress[0]?.host).toBe(shown);
});

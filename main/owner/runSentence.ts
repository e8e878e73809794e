import type { Segment } from '../../contract/display.ts';
import { toSegments } from '../core/display.ts';
import { prose } from '../core/prose.ts';
import type { RequestRecord, RunResult } from '../core/records.ts';

/** How a request stands or how it ended, as one says it. */
export function runSentence(
  request: RequestRecord,
  result: RunResult | null,
  waitingFor: string | null,
): readonly Segment[] {
  switch (request.status) {
    case 'pending':
      return prose`It waits for your decision.`;
    case 'approved':
      return waitingFor === null ? prose`Approved; it waits for its turn.` : toSegments(waitingFor);
    case 'running':
      return prose`It runs now.`;
    case 'success':
      return prose`The code ran to its end.`;
    case 'failed':
      return failure(request, result);
    case 'denied':
      return request.denyReason === null
        ? prose`Denied. Nothing ran.`
        : prose`Denied. Nothing ran, and the agent was told why.`;
    case 'expired':
      return request.error === null ? prose`Nobody decided in time. Nothing ran.` : asSentence(request.error.message);
    case 'cancelled':
      return prose`The agent took it back. Nothing ran.`;
    case 'interrupted':
      return request.startedAt === null
        ? prose`OAuth3 ended before its turn came. Nothing ran.`
        : prose`OAuth3 ended while it ran. What it had written is not kept, and it is never started again.`;
  }
}

function failure({ error }: RequestRecord, result: RunResult | null): readonly Segment[] {
  if (error?.code === 'killed') return prose`You stopped it.`;
  if (error !== null) return asSentence(error.message);
  if (result === null) return prose`It failed.`;
  if (result.signal !== null) return prose`The code was ended by ${result.signal}.`;
  return prose`The code ended with exit code ${String(result.exitCode)}.`;
}

const asSentence = (message: string): readonly Segment[] =>
  toSegments(/[.!?]$/.test(message) ? message : `${message}.`);

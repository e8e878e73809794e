import type { RequestState } from '../../contract/states.ts';

/** What an agent is told when its request is final: id, skill and outcome, never output. A hint, not the result. */
export function wakeText(request: Readonly<{ id: string; skillId: string }>, outcome: RequestState): string {
  return `OAuth3: request ${request.id} (${request.skillId}) is final: ${outcome}. Fetch it with GET /requests/${request.id}`;
}

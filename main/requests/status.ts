import { MAX_WAIT_SECONDS, type RequestView } from '../../contract/bridge.ts';
import { CodedError } from '../../contract/errors.ts';
import { isFinal } from '../../contract/states.ts';
import type { Clock } from '../core/clock.ts';
import type { AgentRecord, Records, RequestRecord } from '../core/records.ts';
import type { RequestEvents, RunLauncher } from '../core/runPorts.ts';
import { requestView } from './requestViews.ts';
import type { RequestWaits } from './requestWaits.ts';

export type StatusDeps = Readonly<{
  records: Pick<Records, 'request' | 'result' | 'egressOf' | 'markResultFetched' | 'cancelRequest'>;
  clock: Clock;
  events: Pick<RequestEvents, 'emitChanged'>;
  waits: RequestWaits;
  launcher: Pick<RunLauncher, 'waitsFor'>;
}>;

/** What an agent can do with a request of its own: look, wait, cancel. Another agent's id is as good as none. */
export class RequestStatus {
  readonly #deps: StatusDeps;

  constructor(deps: StatusDeps) {
    this.#deps = deps;
  }

  /** Waits up to `waitSeconds` (capped at 60) for the end. Throws CodedError `not_found`. */
  async view(agent: AgentRecord, id: string, waitSeconds: number, signal: AbortSignal): Promise<RequestView> {
    const { records, clock, waits } = this.#deps;
    const first = this.#find(agent, id);
    const timeoutMs = Math.min(waitSeconds, MAX_WAIT_SECONDS) * 1000;
    if (!isFinal(first.status)) await waits.until(id, { timeoutMs, signal, synchronous: false });
    const request = this.#find(agent, id);
    // Who hung up did not get it and shall be reminded.
    if (isFinal(request.status) && request.resultFetchedAt === null && !signal.aborted) {
      records.markResultFetched(id, clock.wallMs());
    }
    return requestView(request, records, this.#deps.launcher.waitsFor(id));
  }

  /** Throws CodedError `not_found`, `already_decided`. */
  cancel(agent: AgentRecord, id: string): Readonly<{ status: 'cancelled' }> {
    const { records, clock, events } = this.#deps;
    const request = this.#find(agent, id);
    if (records.cancelRequest(id, clock.wallMs()) === 'not_pending') {
      throw new CodedError('already_decided', `The request is ${request.status} and cannot be cancelled`, {
        requestId: id,
      });
    }
    events.emitChanged(this.#find(agent, id));
    return { status: 'cancelled' };
  }

  #find(agent: AgentRecord, id: string): RequestRecord {
    const request = this.#deps.records.request(id);
    if (request !== null && request.agentId === agent.id) return request;
    throw new CodedError('not_found', 'You have no request with this id');
  }
}

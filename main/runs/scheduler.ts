import type { Runtime } from '../../contract/runtime.ts';
import type { Tripwire } from '../core/egressSpec.ts';
import type { RequestRecord } from '../core/records.ts';
import type { LiveRun, RunFollower, RunLauncher } from '../core/runPorts.ts';
import { wakeText } from '../core/wakeText.ts';
import { type Admitted, admit } from './admission.ts';
import type { Backend } from './backend.ts';
import type { SchedulerDeps } from './ports.ts';
import { FairQueue, type Waiting } from './queue.ts';
import { SandboxRun } from './sandboxRun.ts';

const maxQueued = 1000;
const maxQueuedPerAgent = 200;
const storageRetryMs = 5_000;
const stopPatienceMs = 12_000;

type Running = Readonly<{ waiting: Waiting; run: SandboxRun; done: Promise<void> }>;
/** Approved, and its sandbox is still being prepared. */
type Parked = Readonly<{ backend: Backend; runtime: Runtime }>;

/**
 * Starts approved requests: first in first out per agent, agents by turns, bounded by number and memory. A run is
 * recorded as started before anything of it runs, and never started twice.
 */
export class Scheduler implements RunLauncher, RunFollower {
  readonly #deps: SchedulerDeps;
  readonly #queue = new FairQueue();
  readonly #running = new Map<string, Running>();
  readonly #parked = new Map<string, Parked>();
  readonly #watches: readonly (() => void)[];
  readonly #retries = new Set<NodeJS.Timeout>();
  #stopped = false;

  constructor(deps: SchedulerDeps) {
    this.#deps = deps;
    this.#watches = deps.backends.map((backend) => backend.onChange(() => this.#unpark()));
  }

  /** At start, before anything is enqueued: what a crash left approved or running ends as interrupted, never run again. */
  recover(): readonly RequestRecord[] {
    const { records, clock, events } = this.#deps;
    const ended = records.interruptUnfinished(clock.wallMs(), (request) => wakeText(request, 'interrupted'));
    for (const request of ended) events.emitChanged(request);
    return ended;
  }

  enqueue(requestId: string): void {
    this.#withStorage(() => {
      const request = this.#deps.records.request(requestId);
      if (this.#stopped || request === null || request.status !== 'approved' || this.#holds(requestId)) return;
      const ofAgent = this.#queue.sizeOf(request.agentId);
      if (this.#queue.size >= maxQueued || ofAgent >= maxQueuedPerAgent) {
        return this.#fail(request, { code: 'queue_full', message: 'Too many runs wait already; try again later' });
      }
      const memoryMb = this.#deps.records.manifest(request.manifestDigest)?.limits.memoryMb ?? 0;
      this.#queue.push({ requestId, agentId: request.agentId, memoryMb });
      this.pump();
    });
  }

  /** Starts what may start now; also to be called when a pause or a limit was lifted. */
  pump(): void {
    while (!this.#stopped && !this.#deps.isPaused() && this.#running.size < this.#deps.concurrentRuns()) {
      const next = this.#queue.take((head) => this.#fits(head));
      if (next === null) return;
      this.#withStorage(() => this.#begin(next));
    }
  }

  kill(requestId: string): boolean {
    const running = this.#running.get(requestId);
    if (running !== undefined) {
      running.run.stop('owner');
      return true;
    }
    if (!this.#queue.remove(requestId) && !this.#parked.delete(requestId)) return false;
    this.#withStorage(() => {
      const request = this.#deps.records.request(requestId);
      if (request !== null) this.#fail(request, { code: 'killed', message: 'The owner stopped it before it started' });
    });
    return true;
  }

  killAll(): number {
    const ids = [...this.#queue.ids(), ...this.#parked.keys(), ...this.#running.keys()];
    return ids.filter((id) => this.kill(id)).length;
  }

  counts(): Readonly<{ running: number; queued: number }> {
    return { running: this.#running.size, queued: this.#queue.size + this.#parked.size };
  }

  waitsFor(requestId: string): string | null {
    const parked = this.#parked.get(requestId);
    if (parked === undefined) return null;
    const status = parked.backend.status(parked.runtime);
    return status.ready ? null : status.reason;
  }

  live(requestId: string): LiveRun | null {
    return this.#running.get(requestId)?.run.live ?? null;
  }

  /** Ends every run and marks what did not finish as interrupted. Bounded in time; may reject if the store fails. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const end of this.#watches) end();
    this.#queue.clear();
    this.#parked.clear();
    for (const timer of this.#retries) clearTimeout(timer);
    const ends = [...this.#running.values()].map(({ run, done }) => {
      run.stop('shutdown');
      return done;
    });
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, stopPatienceMs);
    });
    await Promise.race([Promise.all(ends), patience]);
    clearTimeout(timer);
    this.recover();
  }

  #holds(requestId: string): boolean {
    return this.#running.has(requestId) || this.#queue.has(requestId) || this.#parked.has(requestId);
  }

  /** One agent has so many places at most; all memory together stays within its budget. */
  #fits(head: Waiting): boolean {
    const running = [...this.#running.values()].map(({ waiting }) => waiting);
    if (running.length === 0) return true;
    const ofAgent = running.filter(({ agentId }) => agentId === head.agentId).length;
    if (ofAgent >= this.#deps.concurrentRunsPerAgent()) return false;
    const usedMb = running.reduce((sum, { memoryMb }) => sum + memoryMb, 0);
    return usedMb + head.memoryMb <= this.#deps.memoryBudgetMb();
  }

  /** Synchronous from the checks to the recorded start: nothing can change in between. */
  #begin(waiting: Waiting): void {
    const { records, clock } = this.#deps;
    const request = records.request(waiting.requestId);
    if (request === null || request.status !== 'approved') return;
    const admission = this.#admit(request);
    if (!admission.ok) {
      if ('error' in admission) this.#fail(request, admission.error);
      else this.#park(request, admission.waitsFor);
      return;
    }
    const run = new SandboxRun(admission.run, this.#deps, (event) => {
      this.#withStorage(() => this.#tripped(request, run.runId, event));
    });
    if (!records.startRun(request.id, { runId: run.runId, nowMs: clock.wallMs() })) return;
    const done = this.#carryOut(run, admission.run);
    this.#running.set(request.id, { waiting, run, done });
    this.#announce(request.id);
  }

  #park(request: RequestRecord, backend: Backend): void {
    const runtime = this.#deps.records.manifest(request.manifestDigest)?.runtime;
    if (runtime === undefined) return;
    this.#parked.set(request.id, { backend, runtime });
    backend.prepare(runtime);
    this.#announce(request.id);
  }

  /** Something changed about a sandbox: whoever waits for one is looked at again. */
  #unpark(): void {
    for (const [requestId, { backend, runtime }] of [...this.#parked]) {
      const status = backend.status(runtime);
      if (!status.ready && status.coming) continue;
      this.#parked.delete(requestId);
      this.enqueue(requestId);
    }
  }

  #admit(request: RequestRecord): ReturnType<typeof admit> {
    const admission = admit(request, this.#deps);
    if ('error' in admission && admission.error.code === 'digest_mismatch') {
      const { records, clock, log } = this.#deps;
      log.error({ requestId: request.id }, 'Stored code or manifest does not hash to what was approved');
      const payload = { manifest_digest: request.manifestDigest, code_hash: request.codeHash };
      records.appendAudit(
        { actor: 'broker', kind: 'run.digest_mismatch', requestId: request.id, payload },
        clock.wallMs(),
      );
    }
    return admission;
  }

  async #carryOut(run: SandboxRun, { request, manifest }: Admitted): Promise<void> {
    const { records, clock, log, hasWaiter } = this.#deps;
    const finished = await run.finish().catch((error: unknown) => {
      log.error({ requestId: request.id, error: nameOf(error) }, 'A run broke');
      const reason = { code: 'internal', message: 'Something broke inside; see the log' };
      return { requestId: request.id, status: 'failed', result: null, error: reason, egress: [] } as const;
    });
    this.#running.delete(request.id);
    // Not finished by itself: it ends as interrupted, together with what never started.
    if (run.reason === 'shutdown') return;
    this.#withStorage(() => {
      const secretIds = manifest.secrets.flatMap(({ secretId }) => (secretId === null ? [] : [secretId]));
      const text = hasWaiter(request.id) ? null : wakeText(request, finished.status);
      records.finishRun({ ...finished, nowMs: clock.wallMs(), wakeText: text });
      if (secretIds.length > 0) records.touchSecrets(secretIds, clock.wallMs());
      this.#announce(request.id);
    });
    this.pump();
  }

  /** The run is being stopped already; its trust is suspended and the owner told. */
  #tripped(request: RequestRecord, runId: string, event: Tripwire): void {
    const { records, clock, notice } = this.#deps;
    const names = event.secrets.map(({ name }) => name).join(', ');
    const place = event.where === 'url' ? 'the URL' : `the header ${event.header ?? ''}`;
    const what = `put ${names} into ${place} of a request to ${event.host}`;
    const nowMs = clock.wallMs();
    const suspended = request.approvalId !== null && records.suspendTrust(request.approvalId, what, nowMs);
    const { method, host, port, where, header } = event;
    const secrets = event.secrets.map(({ secretId, name }) => ({ secret_id: secretId, name }));
    const payload = { run_id: runId, secrets, method, host, port, where, header, trust_suspended: suspended };
    records.appendAudit({ actor: 'broker', kind: 'run.tripwire', requestId: request.id, payload }, nowMs);
    const trust = suspended ? ' Its trust is suspended.' : '';
    notice(`Stopped ${request.skillId}: its code tried to ${what}.${trust}`);
  }

  #fail(request: RequestRecord, error: Readonly<{ code: string; message: string }>): void {
    const { records, clock, hasWaiter } = this.#deps;
    const text = hasWaiter(request.id) ? null : wakeText(request, 'failed');
    if (records.failApproved(request.id, error, clock.wallMs(), text)) this.#announce(request.id);
  }

  #announce(requestId: string): void {
    const request = this.#deps.records.request(requestId);
    if (request !== null) this.#deps.events.emitChanged(request);
  }

  /**
   * Storage may fail (disk full). What has to be written is then tried again until it can be, or the app stops; until
   * then the request stays as it is, and nothing more starts from it. Every operation given here may be repeated.
   */
  #withStorage(operation: () => void): void {
    try {
      operation();
    } catch (error) {
      this.#deps.log.error({ error: nameOf(error) }, 'The state of a run could not be written; trying again');
      if (this.#stopped) return;
      const timer = setTimeout(() => {
        this.#retries.delete(timer);
        this.#withStorage(operation);
      }, storageRetryMs);
      this.#retries.add(timer);
    }
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error);

import type { Isolation, Runtime } from '../../../contract/runtime.ts';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { systemClock } from '../../core/systemClock.ts';
import type { Backend, BackendStatus, SandboxExit, SandboxIo, SandboxJob } from '../../runs/backend.ts';
import type { ChildLauncher } from './childLauncher.ts';
import { runInChild } from './hostRun.ts';
import { WarmPool } from './warmPool.ts';

/** QuickJS in WebAssembly, each run in a process of its own that was started before and is killed after. */
export class EmbeddedBackend implements Backend {
  readonly isolation: Isolation = 'embedded';
  readonly runtimes: readonly Runtime[] = ['quickjs'];
  readonly #pool: WarmPool;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #runs = new Map<AbortController, Promise<SandboxExit>>();

  /** `poolSize`: processes held ready, 0 or more. */
  constructor(options: Readonly<{ launcher: ChildLauncher; poolSize: number; log: Log; clock?: Clock }>) {
    this.#pool = new WarmPool(options.launcher, options.poolSize, options.log);
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
  }

  status(): BackendStatus {
    const { problem } = this.#pool;
    return problem === null
      ? { ready: true }
      : { ready: false, reason: `The QuickJS sandbox process is not ready: ${problem}.` };
  }

  /** As `poolSize`, from now on. */
  resizePool(size: number): void {
    this.#pool.resize(size);
  }

  start(): Promise<void> {
    return this.#pool.start();
  }

  async run(job: SandboxJob, io: SandboxIo): Promise<SandboxExit> {
    const ending = new AbortController();
    const run = this.#run(job, { ...io, signal: AbortSignal.any([io.signal, ending.signal]) });
    this.#runs.set(ending, run);
    try {
      return await run;
    } finally {
      this.#runs.delete(ending);
      this.#pool.refill();
    }
  }

  async stop(): Promise<void> {
    for (const ending of this.#runs.keys()) ending.abort();
    await Promise.all([...this.#runs.values(), this.#pool.stop()]);
  }

  async #run(job: SandboxJob, io: SandboxIo): Promise<SandboxExit> {
    if (job.runtime !== 'quickjs') return { kind: 'broken', message: `This sandbox runs quickjs, not ${job.runtime}.` };
    if (io.signal.aborted) return { kind: 'killed' };
    try {
      return await runInChild(await this.#pool.take(), job, io, this.#clock);
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown';
      this.#log.error({ runId: job.runId, reason }, 'no sandbox process for a run');
      return {
        kind: 'broken',
        message: `The QuickJS sandbox process does not start: ${reason}. Restart the app; if it stays, see its log.`,
      };
    }
  }
}

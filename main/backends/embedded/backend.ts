import type { Isolation, Runtime } from '../../../contract/runtime.ts';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { ChangeSignal } from '../../core/signal.ts';
import { systemClock } from '../../core/systemClock.ts';
import type { Backend, BackendStatus, Carrier, SandboxExit, SandboxIo, SandboxJob } from '../../runs/backend.ts';
import { RunsInFlight } from '../runsInFlight.ts';
import { WarmPool } from '../warmPool.ts';
import type { ChildLauncher, SandboxChild } from './childLauncher.ts';
import { runInChild } from './hostRun.ts';
import { StartingChild } from './startingChild.ts';

/** What carries an embedded run: the engine and its version, as the manifest names it. */
export const embeddedCarrier: Carrier = { image: 'quickjs-wasmfile-release-sync@0.32.0', runner: '', seccomp: '' };

/** QuickJS in WebAssembly, each run in a process of its own that was started before and is killed after. */
export class EmbeddedBackend implements Backend {
  readonly isolation: Isolation = 'embedded';
  readonly runtimes: readonly Runtime[] = ['quickjs'];
  readonly #pool: WarmPool<SandboxChild>;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #changed = new ChangeSignal();
  #poolSize: number;
  readonly #runs = new RunsInFlight();
  #isWarm = true;

  /** `poolSize`: processes held ready, 0 or more. */
  constructor(options: Readonly<{ launcher: ChildLauncher; poolSize: number; log: Log; clock?: Clock }>) {
    this.#poolSize = options.poolSize;
    this.#pool = new WarmPool(
      () => new StartingChild(options.launcher, options.log),
      options.poolSize,
      options.log,
      this.#changed.emit,
    );
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
  }

  status(runtime: Runtime): BackendStatus {
    if (!this.runtimes.includes(runtime)) return { ready: false, coming: false, reason: notHere(runtime) };
    const { problem } = this.#pool;
    return problem === null
      ? { ready: true }
      : { ready: false, coming: false, reason: `The QuickJS sandbox process is not ready: ${problem}.` };
  }

  carrier(): Carrier {
    return embeddedCarrier;
  }

  carries(_runtime: Runtime, { image, runner, seccomp }: Carrier): boolean {
    return image === embeddedCarrier.image && runner === '' && seccomp === '';
  }

  /** The card says in words of its own what this isolation is. */
  notes(): readonly string[] {
    return [];
  }

  /** Everything that it needs is part of the app. */
  prepare(): void {}

  onChange(listener: () => void): () => void {
    return this.#changed.onChange(listener);
  }

  keepWarm(wanted: boolean): void {
    this.#isWarm = wanted;
    this.#pool.resize(wanted ? this.#poolSize : 0);
  }

  resizePool(size: number): void {
    this.#poolSize = size;
    this.keepWarm(this.#isWarm);
  }

  start(): Promise<void> {
    return this.#pool.start();
  }

  async run(job: SandboxJob, io: SandboxIo): Promise<SandboxExit> {
    try {
      return await this.#runs.carry(io, (endable) => this.#run(job, endable));
    } finally {
      this.#pool.refill();
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.#runs.endAll(), this.#pool.stop()]);
  }

  async #run(job: SandboxJob, io: SandboxIo): Promise<SandboxExit> {
    if (!this.runtimes.includes(job.runtime)) return { kind: 'broken', message: notHere(job.runtime) };
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

const notHere = (runtime: Runtime): string => `This sandbox runs quickjs, not ${runtime}.`;

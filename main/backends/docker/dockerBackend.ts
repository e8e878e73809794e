import { defaultLimits } from '../../../contract/bridge.ts';
import type { Runtime } from '../../../contract/runtime.ts';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { ChangeSignal } from '../../core/signal.ts';
import { systemClock } from '../../core/systemClock.ts';
import { unlessAborted } from '../../core/unlessAborted.ts';
import type { Backend, BackendStatus, Carrier, SandboxExit, SandboxIo, SandboxJob } from '../../runs/backend.ts';
import { RunsInFlight } from '../runsInFlight.ts';
import { SandboxStartError } from '../warmPool.ts';
import { ContainerSandbox, type SandboxHouse, type SandboxPlan } from './containerSandbox.ts';
import type { ContainerLimits } from './containerSpec.ts';
import type { Engine } from './engine.ts';
import { broken } from './outcome.ts';
import type { ContainerIsolation, MakeFrontEnd, SandboxImages } from './ports.ts';
import { isolationNotes, obstacle } from './preflight.ts';
import { Removals } from './removals.ts';
import { type RuntimeRow, runtimeTable } from './runtimeTable.ts';
import { seccompSha256 } from './seccompProfile.ts';
import { StartGate } from './startGate.ts';
import { StartingSandbox } from './startingSandbox.ts';
import { WarmImages } from './warmImages.ts';

export type DockerBackendOptions = Readonly<{
  isolation: ContainerIsolation;
  engine: Engine;
  images: SandboxImages;
  makeFrontEnd: MakeFrontEnd;
  /** Of this data folder; stands in a label of each container. */
  installId: string;
  /** Containers held ready for each runtime, 0 or more. */
  poolSize: number;
  /** SHA-256 (hex) of the program that is PID 1 in the images. */
  runner: Readonly<{ sha256: string }>;
  log: Log;
  clock?: Clock;
}>;

const startsAtOnce = 2;

/** Containers of one isolation level: each made before its run, used once, and thrown away. */
export class DockerBackend implements Backend {
  readonly isolation: ContainerIsolation;
  readonly runtimes: readonly Runtime[];
  readonly #options: DockerBackendOptions;
  readonly #clock: Clock;
  readonly #changed = new ChangeSignal();
  readonly #gate = new StartGate(startsAtOnce);
  readonly #removals: Removals;
  readonly #warm: WarmImages<ContainerSandbox>;
  readonly #runs = new RunsInFlight();
  #unsubscribe: readonly (() => void)[] = [];
  #poolSize: number;
  #isWarm = true;
  #isRunning = false;

  constructor(options: DockerBackendOptions) {
    const { isolation, images, engine, log } = options;
    this.isolation = isolation;
    this.runtimes = images.runtimes;
    this.#options = options;
    this.#poolSize = options.poolSize;
    this.#clock = options.clock ?? systemClock;
    this.#removals = new Removals(engine.live, log);
    const begin = (imageId: string) =>
      new StartingSandbox((signal) => this.#start(imageId, defaultLimits, signal, false));
    this.#warm = new WarmImages(begin, log, this.#changed.emit);
  }

  status(runtime: Runtime): BackendStatus {
    if (!this.runtimes.includes(runtime)) return unavailable(notHere(runtime));
    const { state } = this.#options.engine;
    if (!state.available) {
      const { looking, reason } = state;
      return looking ? { ready: false, coming: true, busy: true, reason } : unavailable(reason);
    }
    const missing = obstacle(state.facts, this.isolation);
    if (missing !== null) return unavailable(missing);
    const images = this.#options.images.status(runtime, this.isolation);
    if (!images.ready) return images;
    const problem = this.#warm.problem(runtime);
    if (problem === null) return images;
    return unavailable(
      `A sandbox container could not be started: ${problem}. It is tried again; the app's log says more.`,
    );
  }

  carrier(runtime: Runtime): Carrier {
    const { images, runner } = this.#options;
    const image = images.image(runtime, this.isolation)?.id ?? images.recipe(runtime, this.isolation);
    return { image, runner: runner.sha256, seccomp: seccompSha256 };
  }

  /** The same image, or the one that was made meanwhile from the recipe that was approved. */
  carries(runtime: Runtime, approved: Carrier): boolean {
    const now = this.carrier(runtime);
    if (approved.runner !== now.runner || approved.seccomp !== now.seccomp) return false;
    return (
      approved.image === now.image || approved.image === this.#options.images.image(runtime, this.isolation)?.recipe
    );
  }

  notes(): readonly string[] {
    const { state } = this.#options.engine;
    return state.available ? isolationNotes(state.facts, this.isolation) : [];
  }

  prepare(runtime: Runtime): void {
    if (this.runtimes.includes(runtime)) this.#options.images.prepare(runtime, this.isolation);
  }

  onChange(listener: () => void): () => void {
    return this.#changed.onChange(listener);
  }

  keepWarm(wanted: boolean): void {
    this.#isWarm = wanted;
    this.#arrange();
  }

  resizePool(size: number): void {
    this.#poolSize = size;
    this.#arrange();
  }

  async start(): Promise<void> {
    this.#isRunning = true;
    const arrange = (): void => {
      this.#arrange();
      this.#changed.emit();
    };
    this.#unsubscribe = [this.#options.engine.onChange(arrange), this.#options.images.onChange(arrange)];
    this.#arrange();
    await this.#warm.first();
  }

  async run(job: SandboxJob, io: SandboxIo): Promise<SandboxExit> {
    try {
      return await this.#runs.carry(io, (endable) => this.#run(job, endable));
    } finally {
      this.#warm.refill();
    }
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await Promise.all([this.#runs.endAll(), this.#warm.stop()]);
    await this.#removals.settled();
  }

  async #run(job: SandboxJob, io: SandboxIo): Promise<SandboxExit> {
    const row = runtimeTable.find(({ runtime }) => runtime === job.runtime);
    if (row === undefined || !this.runtimes.includes(job.runtime)) return broken(notHere(job.runtime));
    if (io.signal.aborted) return { kind: 'killed' };
    const image = this.#options.images.image(job.runtime, this.isolation);
    if (image === null) return broken(imageGone(job.runtime));
    try {
      return await this.#runIn(this.#sandbox(job, image.id, io.signal), row, job, io);
    } catch (error) {
      if (io.signal.aborted) return { kind: 'killed' };
      const reason = error instanceof Error ? error.message : 'unknown';
      this.#options.log.error({ runId: job.runId, reason }, 'no sandbox container for a run');
      return broken(
        `The sandbox container for this run could not be started: ${reason}. Run it again; if that does not help, see the app's log.`,
      );
    }
  }

  /** Waits for the sandbox no longer than the run is wanted. */
  async #runIn(
    coming: Promise<ContainerSandbox>,
    row: RuntimeRow,
    job: SandboxJob,
    io: SandboxIo,
  ): Promise<SandboxExit> {
    const sandbox = await unlessAborted(coming, io.signal);
    if (sandbox !== null && !io.signal.aborted) return sandbox.run(row, job, io);
    this.#removals.follow(coming.then((late) => late.discard()).catch(() => {}));
    return { kind: 'killed' };
  }

  /** A warm one brought to the limits of the job, else one that starts now with them. */
  async #sandbox({ runtime, limits }: SandboxJob, imageId: string, signal: AbortSignal): Promise<ContainerSandbox> {
    const warm = await this.#warm.take(runtime, imageId)?.catch(() => null);
    if (warm !== undefined && warm !== null) {
      try {
        await warm.fit(limits);
        return warm;
      } catch (error) {
        // Below what the container uses already, or not known to its runtime: the old limits are still in force.
        this.#options.log.info({ reason: String(error) }, 'a warm sandbox could not be given the limits of a run');
        void warm.discard();
      }
    }
    return this.#start(imageId, limits, signal, true);
  }

  #start(imageId: string, limits: ContainerLimits, signal: AbortSignal, isUrgent: boolean): Promise<ContainerSandbox> {
    return this.#gate.through(isUrgent, async () => {
      if (signal.aborted) throw new SandboxStartError('it is not wanted any more');
      const { engine, images } = this.#options;
      const runtime = engine.state.available ? engine.state.facts.runtimes[this.isolation] : undefined;
      if (engine.api === null || runtime === undefined)
        throw new SandboxStartError('the container engine is not there');
      const plan: SandboxPlan = { imageId, engineRuntime: runtime.name, limits };
      try {
        return await ContainerSandbox.start(this.#house(engine.api), plan, signal);
      } catch (error) {
        // Perhaps somebody removed the image; then it is made again.
        if (!signal.aborted) void images.refresh().catch(() => {});
        throw error;
      }
    });
  }

  #house(api: SandboxHouse['api']): SandboxHouse {
    const { makeFrontEnd, installId, engine, log } = this.#options;
    return { api, makeFrontEnd, installId, live: engine.live, removals: this.#removals, log, clock: this.#clock };
  }

  /** Holds as many ready as are wanted now, of the images that are there now. */
  #arrange(): void {
    const { engine, images } = this.#options;
    const isPossible = engine.state.available && obstacle(engine.state.facts, this.isolation) === null;
    for (const runtime of this.runtimes) {
      const isWanted = this.#isRunning && this.#isWarm && this.#poolSize > 0 && isPossible;
      const image = isWanted ? images.image(runtime, this.isolation) : null;
      this.#warm.hold(runtime, image?.id ?? null, this.#poolSize);
    }
  }
}

const notHere = (runtime: Runtime): string => `This sandbox does not run ${runtime}.`;
const imageGone = (runtime: Runtime): string =>
  `The image for ${runtime} is not there any more. It is made again for the next request; oauth3 images ${runtime} makes it now.`;

function unavailable(reason: string): BackendStatus {
  return { ready: false, coming: false, reason };
}

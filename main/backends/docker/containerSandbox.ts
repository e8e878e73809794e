import { randomBytes } from 'node:crypto';
import type { Duplex, Readable } from 'node:stream';
import type { Clock } from '../../core/clock.ts';
import { Deadline } from '../../core/deadline.ts';
import type { ProxyFrontEnd } from '../../core/door.ts';
import type { Log } from '../../core/log.ts';
import { isoTime } from '../../core/times.ts';
import { unlessAborted } from '../../core/unlessAborted.ts';
import type { SandboxExit, SandboxIo, SandboxJob } from '../../runs/backend.ts';
import { SandboxStartError } from '../warmPool.ts';
import type { AttachStream } from './attachStream.ts';
import { Container } from './container.ts';
import { type ContainerLimits, containerSpec } from './containerSpec.ts';
import type { EngineApi } from './engineApi.ts';
import { broken, endOf, exitOf, printable } from './outcome.ts';
import type { MakeFrontEnd } from './ports.ts';
import type { Removals } from './removals.ts';
import { runnerJob } from './runnerJob.ts';
import type { RuntimeRow } from './runtimeTable.ts';
import { seccompProfile } from './seccompProfile.ts';
import { Tunnel, TunnelError } from './tunnel.ts';

/** What every sandbox of one backend needs. */
export type SandboxHouse = Readonly<{
  api: EngineApi;
  makeFrontEnd: MakeFrontEnd;
  installId: string;
  /** Sandbox ids that the reaper leaves alone. */
  live: Set<string>;
  removals: Removals;
  log: Log;
  clock: Clock;
}>;

/** What one sandbox is made from. */
export type SandboxPlan = Readonly<{ imageId: string; engineRuntime: string; limits: ContainerLimits }>;

/** The runner ends the code at the timeout; after this long we end the container, whatever the runner does. */
const graceMs = 500;
/** Until the engine has told what it knows about a container that ended. */
const lookWithinMs = 3_000;

type Parts = Readonly<{
  container: Container;
  sandboxId: string;
  frontEnd: ProxyFrontEnd;
  stream: AttachStream;
  tunnel: Tunnel;
  /** Ends when the engine says that the container ended. */
  end: Readable;
}>;

/** One container, from its creation to its removal; it runs one job, or none. */
export class ContainerSandbox {
  /** Resolves when it ended although nobody ended it. */
  readonly gone: Promise<void>;
  readonly #house: SandboxHouse;
  readonly #parts: Parts;
  #limits: ContainerLimits;
  #isTaken = false;

  private constructor(house: SandboxHouse, parts: Parts, limits: ContainerLimits) {
    this.#house = house;
    this.#parts = parts;
    this.#limits = limits;
    this.gone = parts.tunnel.broken.then(() => {});
  }

  /** Makes one and waits until its runner asks for a job. Rejects with SandboxStartError; then nothing is left. */
  static async start(house: SandboxHouse, plan: SandboxPlan, signal: AbortSignal): Promise<ContainerSandbox> {
    const sandboxId = randomBytes(16).toString('hex');
    // Known before it is there: the reaper must not take it for a stranger.
    house.live.add(sandboxId);
    let isMade = false;
    const undo: (() => void)[] = [];
    let stream: AttachStream | null = null;
    try {
      const labels = { installId: house.installId, sandboxId, createdAt: isoTime(house.clock.wallMs()) };
      const frontEnd = await house.makeFrontEnd();
      undo.push(() => frontEnd.close());
      const container = await Container.create(house.api, containerSpec({ ...plan, seccompProfile, labels }));
      isMade = true;
      undo.push(() => void house.removals.begin(container, sandboxId));
      signal.throwIfAborted();
      const attached = await container.attach();
      stream = attached;
      const tunnel = new Tunnel(attached, house.clock);
      undo.push(() => tunnel.close());
      const end = await container.watchEnd();
      undo.push(() => end.destroy());
      signal.throwIfAborted();
      await container.start();
      signal.throwIfAborted();
      await unlessAborted(tunnel.ready, signal);
      signal.throwIfAborted();
      return new ContainerSandbox(house, { container, sandboxId, frontEnd, stream, tunnel, end }, plan.limits);
    } catch (error) {
      for (const step of undo.reverse()) step();
      // One that the engine may have made in spite of its error has no id here: it is the reaper's.
      if (!isMade) house.live.delete(sandboxId);
      const said = printable(stream?.stderrTail ?? '');
      const reason = error instanceof Error ? error.message : 'unknown';
      throw new SandboxStartError(said === '' ? reason : `${reason} (${said})`);
    }
  }

  /** Brings it to these limits if it has others. Throws EngineError; then it must not be used. */
  async fit(limits: ContainerLimits): Promise<void> {
    if (limits.memoryMb === this.#limits.memoryMb && limits.cpus === this.#limits.cpus) return;
    await this.#parts.container.setLimits(limits);
    this.#limits = limits;
  }

  /** Runs the job and takes the container with it. Never rejects. */
  async run(row: RuntimeRow, job: SandboxJob, io: SandboxIo): Promise<SandboxExit> {
    if (this.#isTaken) return broken('The sandbox ended before the run began. Run it again.');
    this.#isTaken = true;
    const { frontEnd, tunnel, container } = this.#parts;
    const outcome = await this.#outcome(row, job, io);
    // From here on nothing of it reaches the outside, whatever still moves inside.
    frontEnd.close();
    tunnel.close();
    const exit = outcome instanceof TunnelError ? await this.#explain(outcome) : outcome;
    // Told by the runner: it has killed the rest itself. In every other case see to it before the run counts as over.
    if (exit.kind === 'timed_out' || exit.kind === 'killed' || exit.kind === 'broken') {
      await container.kill().catch(() => {});
    }
    void this.#remove();
    return exit;
  }

  /** Ends it unused. Resolves when it is removed, or could not be. */
  async discard(): Promise<void> {
    if (this.#isTaken) return;
    this.#isTaken = true;
    this.#parts.frontEnd.close();
    this.#parts.tunnel.close();
    await this.#remove();
  }

  async #remove(): Promise<void> {
    const { container, sandboxId, end } = this.#parts;
    await this.#house.removals.begin(container, sandboxId);
    end.destroy();
  }

  #outcome(row: RuntimeRow, job: SandboxJob, io: SandboxIo): Promise<SandboxExit | TunnelError> {
    const { frontEnd, tunnel } = this.#parts;
    return new Promise((resolve) => {
      const end = (outcome: SandboxExit | TunnelError): void => {
        deadline.dispose();
        io.signal.removeEventListener('abort', onAbort);
        resolve(outcome);
      };
      const onAbort = (): void => end({ kind: 'killed' });
      const deadline = new Deadline(this.#house.clock, job.limits.timeoutMs + graceMs, () =>
        end({ kind: 'timed_out' }),
      );
      io.signal.addEventListener('abort', onAbort, { once: true });
      if (io.signal.aborted) {
        onAbort();
        return;
      }
      frontEnd.open(io.egress);
      const egress = (connection: Duplex): void => frontEnd.serve(connection);
      tunnel.run(runnerJob(row, job, frontEnd.authorityPem), { stdout: io.stdout, stderr: io.stderr, egress }).then(
        (told) => end(exitOf(told)),
        (error: unknown) => end(error instanceof TunnelError ? error : new TunnelError('ended', 'unknown')),
      );
    });
  }

  async #explain(error: TunnelError): Promise<SandboxExit> {
    const { end, container, sandboxId, stream } = this.#parts;
    // For whoever looks for the cause; the owner gets a sentence without the sandbox's words.
    const facts = { sandboxId, reason: error.message, said: printable(stream.stderrTail) };
    this.#house.log.warn(facts, 'a sandbox broke during a run');
    if (error.code === 'violation') {
      return broken(
        `The sandbox was stopped because it misbehaved: ${error.message}. Run it again; if it stays, report it.`,
      );
    }
    // The engine ends the stream a little before it has noted why.
    await closed(end, lookWithinMs);
    return endOf(await container.state().catch(() => null));
  }
}

/** Resolves when the stream is closed, or after `withinMs`. */
function closed(stream: Readable, withinMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) {
      resolve();
      return;
    }
    const timer = setTimeout(resolve, withinMs);
    stream.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

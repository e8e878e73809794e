import { Deadline } from '../core/deadline.ts';
import type { EgressLimits, EgressSecret, Tripwire } from '../core/egressSpec.ts';
import { makeId } from '../core/ids.ts';
import type { Manifest } from '../core/manifestTypes.ts';
import { makePlaceholder, placeholderRandomBytes } from '../core/placeholder.ts';
import type { FinishInput, RunResult } from '../core/records.ts';
import type { LiveRun } from '../core/runPorts.ts';
import { unsaidTraffic } from '../core/traffic.ts';
import { placeholderShape } from '../core/wellKnown.ts';
import type { Admitted } from './admission.ts';
import type { SandboxExit } from './backend.ts';
import { outcomeOf, type StopReason } from './outcome.ts';
import { RunOutput } from './output.ts';
import type { SchedulerDeps } from './ports.ts';

/** The sandbox keeps its own limit; this is for one that does not. */
const deadlineGraceMs = 3_000;
/** A sandbox that was told to end and did not. */
const stuckMs = 10_000;

function egressLimitsOf({ traffic = unsaidTraffic, limits }: Manifest): EgressLimits {
  return {
    maxRequests: traffic.requests,
    maxConcurrent: traffic.open,
    maxBytesIn: traffic.bytesIn,
    maxBytesOut: traffic.bytesOut,
    requestTimeoutMs: limits.timeoutMs,
  };
}

/** A run in progress, to be stopped from outside. */
export class SandboxRun {
  readonly runId: string;
  readonly #admitted: Admitted;
  readonly #deps: SchedulerDeps;
  readonly #onTripped: (event: Tripwire) => void;
  readonly #abort = new AbortController();
  #reason: StopReason | null = null;
  #live: LiveRun | null = null;

  constructor(admitted: Admitted, deps: SchedulerDeps, onTripped: (event: Tripwire) => void) {
    this.#admitted = admitted;
    this.#deps = deps;
    this.#onTripped = onTripped;
    this.runId = makeId('run', deps.random);
  }

  get reason(): StopReason | null {
    return this.#reason;
  }

  /** What it did so far; null until it can have done anything. */
  get live(): LiveRun | null {
    return this.#live;
  }

  /** The first reason counts. */
  stop(reason: StopReason): void {
    this.#reason ??= reason;
    this.#abort.abort();
  }

  /** Runs the approved code to its end. Never rejects for what code, sandbox or network do. */
  async finish(): Promise<Omit<FinishInput, 'nowMs' | 'wakeText'>> {
    const { request, manifest, code, backend } = this.#admitted;
    const { clock, redactor: currentRedactor } = this.#deps;
    const redactor = await currentRedactor();
    const stdout = new RunOutput(redactor.stream(), () => this.stop('flood'));
    const stderr = new RunOutput(redactor.stream(), () => this.stop('flood'));
    const secrets = this.#secrets();
    const egress = this.#deps.openEgress({
      runId: this.runId,
      rules: manifest.network,
      secrets,
      // With those that are delivered raw: what a host knows of it can come back through a WebSocket too.
      boundHosts: manifest.secrets.flatMap((secret) => secret.hosts),
      limits: egressLimitsOf(manifest),
      redactor,
      onTripwire: (event) => this.#trip(event),
    });
    this.#live = { stdout, stderr, egress: () => egress.records };
    const started = clock.monotonicMs();
    const { timeoutMs } = manifest.limits;
    const deadline = new Deadline(clock, timeoutMs + deadlineGraceMs, () => this.stop('deadline'));
    try {
      const exit = await this.#untilStuck(
        // It may have been stopped while the redactor was built.
        this.#abort.signal.aborted
          ? Promise.resolve({ kind: 'killed' })
          : backend.run(
              {
                runId: this.runId,
                runtime: manifest.runtime,
                code,
                env: this.#environment(secrets),
                limits: manifest.limits,
              },
              {
                stdout: (chunk) => stdout.push(chunk),
                stderr: (chunk) => stderr.push(chunk),
                egress,
                signal: this.#abort.signal,
              },
            ),
      );
      const outcome = outcomeOf(exit, this.#reason);
      egress.close();
      const result: RunResult = {
        stdout: stdout.end(),
        stderr: stderr.end(),
        exitCode: outcome.exitCode,
        signal: outcome.signal,
        durationMs: Math.round(clock.monotonicMs() - started),
        timedOut: outcome.timedOut,
        truncated: stdout.truncated || stderr.truncated,
        redactions: stdout.redactions + stderr.redactions,
      };
      return {
        requestId: request.id,
        status: outcome.status,
        result,
        error: outcome.error && { ...outcome.error, message: redactor.text(outcome.error.message) },
        egress: egress.records.map((record) => ({ ...record, requestId: request.id })),
      };
    } finally {
      deadline.dispose();
      egress.close();
    }
  }

  /** Each secret with a new stand-in; those with raw delivery go around the gateway and have none there. */
  #secrets(): readonly EgressSecret[] {
    const { manifest, values } = this.#admitted;
    return manifest.secrets.flatMap((secret) => {
      const value = values.get(secret.name);
      if (value === undefined || secret.secretId === null || secret.delivery === 'raw') return [];
      const random = this.#deps.random(placeholderRandomBytes);
      const placeholder = makePlaceholder(random, placeholderShape(secret.name));
      const { secretId, name, hosts, places } = secret;
      return [{ secretId, name, placeholder, value, hosts, ...places }];
    });
  }

  #environment(secrets: readonly EgressSecret[]): Readonly<Record<string, string>> {
    const { manifest, values } = this.#admitted;
    const raw = manifest.secrets
      .filter((secret) => secret.delivery === 'raw')
      .map((secret) => [secret.name, values.get(secret.name) ?? '']);
    const standIns = secrets.map(({ name, placeholder }) => [name, placeholder]);
    // Last, so that nothing can stand in its place.
    return Object.fromEntries([...raw, ...standIns, ['SKILL_ARGS', manifest.args.json]]);
  }

  /** The exit of the sandbox; after a stop it has a bounded time to come. */
  #untilStuck(run: Promise<SandboxExit>): Promise<SandboxExit> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const onAbort = (): void => {
        timer = setTimeout(() => {
          if (this.#reason !== 'shutdown') this.#reason = 'stuck';
          this.#deps.log.error({ runId: this.runId }, 'A sandbox did not end when it was told to');
          resolve({ kind: 'broken', message: 'The sandbox did not end when it was told to' });
        }, stuckMs);
      };
      this.#abort.signal.addEventListener('abort', onAbort, { once: true });
      run
        .catch((error: unknown): SandboxExit => {
          const message = error instanceof Error ? error.message : 'The sandbox broke';
          return { kind: 'broken', message };
        })
        .then((exit) => {
          clearTimeout(timer);
          this.#abort.signal.removeEventListener('abort', onAbort);
          resolve(exit);
        });
    });
  }

  /** A stand-in in the wrong place is no accident that may go on. Only the first one is reported. */
  #trip(event: Tripwire): void {
    if (this.#reason === 'tripwire') return;
    this.stop('tripwire');
    this.#onTripped(event);
  }
}

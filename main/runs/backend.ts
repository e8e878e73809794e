import type { Isolation, Runtime } from '../../contract/runtime.ts';
import type { EgressDoor } from '../core/door.ts';
import type { Manifest } from '../core/manifestTypes.ts';

/** What a sandbox is asked to run: exact approved bytes and an environment that holds placeholders only. */
export type SandboxJob = Readonly<{
  runId: string;
  runtime: Runtime;
  /** The approved bytes, valid UTF-8; their hash was compared to the digest just before. */
  code: Uint8Array;
  env: Readonly<Record<string, string>>;
  limits: Readonly<{ timeoutMs: number; memoryMb: number; cpus: number }>;
}>;

/** How a sandbox reaches the outside: output as raw bytes (redacted and capped by the caller), and one door. */
export type SandboxIo = Readonly<{
  stdout: (chunk: Uint8Array) => void;
  stderr: (chunk: Uint8Array) => void;
  egress: EgressDoor;
  /** Fires when the owner kills the run, the broker stops, or the output cap is exceeded. */
  signal: AbortSignal;
}>;

export type SandboxExit =
  | Readonly<{ kind: 'exited'; exitCode: number }>
  | Readonly<{ kind: 'signalled'; signal: string }>
  | Readonly<{ kind: 'timed_out' }>
  | Readonly<{ kind: 'out_of_memory' }>
  | Readonly<{ kind: 'killed' }>
  /** The sandbox itself broke (child crashed, engine gone); `message` tells the owner what to do. */
  | Readonly<{ kind: 'broken'; message: string }>;

/**
 * `coming`: it is being prepared (`busy`), or will be once it is asked for; what needs it waits instead of failing.
 */
export type BackendStatus =
  | Readonly<{ ready: true }>
  | Readonly<{ ready: false; coming: true; busy?: boolean; reason: string }>
  | Readonly<{ ready: false; coming: false; reason: string }>;

/** Ids of what carries a run: image, runner, seccomp profile. */
export type Carrier = Manifest['carrier'];

/**
 * One way to run code in isolation. `run` never rejects for anything the code does; it resolves once nothing of the
 * run can act any more. Every adapter passes `backend.contract.ts`.
 */
export interface Backend {
  readonly isolation: Isolation;
  readonly runtimes: readonly Runtime[];
  /** One of `runtimes`; any other is never ready. */
  status(runtime: Runtime): BackendStatus;
  /** What would carry a run that started now. While a runtime is coming, it names what the image will be made from. */
  carrier(runtime: Runtime): Carrier;
  /** Whether `approved`, the carrier of a manifest, is what `run` would use now. */
  carries(runtime: Runtime, approved: Carrier): boolean;
  /** What this isolation does not enforce on this machine, a sentence each: the owner reads it on the card. */
  notes(): readonly string[];
  /** Something needs this runtime: makes what is missing. Returns at once; `status` tells how it goes. */
  prepare(runtime: Runtime): void;
  /** Announces that `status` or `carrier` changed. Returns the function that ends it. */
  onChange(listener: () => void): () => void;
  /** False: nothing is held ready (paused, locked, asleep); a run then starts cold. True at the beginning. */
  keepWarm(wanted: boolean): void;
  /** Sandboxes held ready for each runtime, 0 or more. */
  resizePool(size: number): void;
  /** Prepares warm sandboxes. Resolves when the first is ready or the backend knows that it cannot be. */
  start(): Promise<void>;
  run(job: SandboxJob, io: SandboxIo): Promise<SandboxExit>;
  stop(): Promise<void>;
}

import type { SandboxExit, SandboxIo } from '../runs/backend.ts';

/** The runs of one backend: each ends when its caller's signal fires, and all of them when the backend stops. */
export class RunsInFlight {
  readonly #runs = new Map<AbortController, Promise<SandboxExit>>();

  /** What `begin` resolves with; its signal fires with the caller's or at `endAll`. */
  async carry(io: SandboxIo, begin: (io: SandboxIo) => Promise<SandboxExit>): Promise<SandboxExit> {
    const ending = new AbortController();
    const end = (): void => ending.abort();
    if (io.signal.aborted) end();
    io.signal.addEventListener('abort', end, { once: true });
    // Not AbortSignal.any: Node keeps such a signal, and all that its listeners hold of the run, until the last is off.
    const run = begin({ ...io, signal: ending.signal });
    this.#runs.set(ending, run);
    try {
      return await run;
    } finally {
      io.signal.removeEventListener('abort', end);
      this.#runs.delete(ending);
    }
  }

  /** Resolves when all of them are over. */
  async endAll(): Promise<void> {
    for (const ending of this.#runs.keys()) ending.abort();
    await Promise.all(this.#runs.values());
  }
}

import { type UtilityProcess, utilityProcess } from 'electron';
import type { HostMessage } from '../../contract/sandboxMessages.ts';
import type { ChildLauncher, SandboxChild } from '../backends/embedded/childLauncher.ts';

/** Sandbox processes of the app: its fuses forbid running the binary as Node, so they are Electron utility processes. */
export function utilityChildLauncher(childPath: string): ChildLauncher {
  return {
    launch: () =>
      new UtilityChild(utilityProcess.fork(childPath, [], { env: {}, stdio: 'ignore', serviceName: 'OAuth3 sandbox' })),
  };
}

class UtilityChild implements SandboxChild {
  readonly #child: UtilityProcess;
  #onMessage: (message: unknown) => void = () => {};
  #onExit: (reason: string) => void = () => {};
  #exitReason: string | null = null;
  #isKilled = false;

  constructor(child: UtilityProcess) {
    this.#child = child;
    child.on('message', (message) => this.#onMessage(message));
    child.once('exit', (code) => {
      this.#exitReason = `exit code ${code}`;
      this.#onExit(this.#exitReason);
    });
    // Before it is spawned there is no process to signal.
    child.once('spawn', () => {
      if (this.#isKilled) this.#signal();
    });
  }

  send(message: HostMessage): void {
    if (this.#exitReason === null) this.#child.postMessage(message);
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#onMessage = listener;
  }

  onExit(listener: (reason: string) => void): void {
    this.#onExit = listener;
    if (this.#exitReason !== null) listener(this.#exitReason);
  }

  kill(): void {
    this.#isKilled = true;
    this.#signal();
  }

  /** Electron's own kill is a SIGTERM, which a program can ignore; this one it cannot. */
  #signal(): void {
    const { pid } = this.#child;
    if (this.#exitReason === null && pid !== undefined) process.kill(pid, 'SIGKILL');
  }
}

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
  readonly #unsent: HostMessage[] = [];
  #spawned = false;
  #killed = false;
  #onExit: (reason: string) => void = () => undefined;
  #exitReason: string | null = null;

  constructor(child: UtilityProcess) {
    this.#child = child;
    child.once('spawn', () => {
      this.#spawned = true;
      if (this.#killed) this.kill();
      for (const message of this.#unsent.splice(0)) child.postMessage(message);
    });
    child.once('exit', (code) => {
      this.#exitReason = this.#killed ? 'killed' : `exit code ${code}`;
      this.#onExit(this.#exitReason);
    });
  }

  send(message: HostMessage): void {
    if (this.#exitReason !== null) return;
    if (this.#spawned) this.#child.postMessage(message);
    else this.#unsent.push(message);
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#child.on('message', listener);
  }

  onExit(listener: (reason: string) => void): void {
    this.#onExit = listener;
    if (this.#exitReason !== null) listener(this.#exitReason);
  }

  kill(): void {
    this.#killed = true;
    const { pid } = this.#child;
    if (this.#exitReason !== null || pid === undefined) return;
    // Electron's own kill is a SIGTERM, which a program can ignore; this one it cannot.
    process.kill(pid, 'SIGKILL');
  }
}

import { type UtilityProcess, utilityProcess } from 'electron';
import type { HostMessage } from '../../contract/sandboxMessages.ts';
import type { ChildLauncher, SandboxChild } from '../backends/embedded/childLauncher.ts';

/** As for plain Node (hardenedNode.ts). */
const flags = [
  '--stack-size=3900',
  '--max-old-space-size=256',
  '--no-addons',
  '--disallow-code-generation-from-strings',
];

/**
 * Sandbox processes of the app: its fuses forbid running the binary as Node, so they are Electron utility processes.
 * `childPath`: absolute path of the built `sandbox/quickjs/child.ts`. To be used once the app is ready.
 */
export function utilityChildLauncher(childPath: string): ChildLauncher {
  return {
    launch: () =>
      new UtilityChild(
        utilityProcess.fork(childPath, [], {
          env: {},
          execArgv: flags,
          stdio: 'ignore',
          serviceName: 'OAuth3 sandbox',
        }),
      ),
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
    if (this.#exitReason !== null || pid === undefined) return;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended a moment ago; `exit` is on its way.
    }
  }
}

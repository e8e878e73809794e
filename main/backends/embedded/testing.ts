import { fileURLToPath } from 'node:url';
import type { HostMessage } from '../../../contract/sandboxMessages.ts';
import { silentLog } from '../../core/log.ts';
import { type ProgramOptions, type Ran, runProgram } from '../testing.ts';
import { EmbeddedBackend } from './backend.ts';
import type { SandboxChild } from './childLauncher.ts';
import { NodeChildLauncher } from './nodeChild.ts';

/** For tests: processes of the sandbox program as it stands in the source tree. */
export function sandboxProgram(): NodeChildLauncher {
  return new NodeChildLauncher(fileURLToPath(new URL('../../../sandbox/quickjs/child.ts', import.meta.url)));
}

/** For tests: a child that says what the test tells it to; it dies when it is killed. */
export class ScriptedChild implements SandboxChild {
  readonly received: HostMessage[] = [];
  isKilled = false;
  #say: (message: unknown) => void = () => {};
  #exit: (reason: string) => void = () => {};

  send(message: HostMessage): void {
    this.received.push(message);
  }
  onMessage(listener: (message: unknown) => void): void {
    this.#say = listener;
  }
  onExit(listener: (reason: string) => void): void {
    this.#exit = listener;
  }
  kill(): void {
    this.isKilled = true;
    queueMicrotask(() => this.#exit('SIGKILL'));
  }
  say(message: unknown): void {
    this.#say(message);
  }
  die(reason: string): void {
    this.#exit(reason);
  }
}

/** For tests: a started backend and a way to run code in it. */
export async function programRunner(): Promise<{
  run(code: string | Uint8Array, options?: ProgramOptions): Promise<Ran>;
  stop(): Promise<void>;
}> {
  const backend = new EmbeddedBackend({ launcher: sandboxProgram(), poolSize: 2, log: silentLog });
  await backend.start();
  return { run: (code, options) => runProgram(backend, 'quickjs', code, options), stop: () => backend.stop() };
}

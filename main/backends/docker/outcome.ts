import type { RunnerExit } from '../../../contract/runner.ts';
import type { SandboxExit } from '../../runs/backend.ts';
import type { ContainerState } from './container.ts';

/** How the code ended, from what the runner tells. A runner that was taken over can lie here, about its own run only. */
export function exitOf(told: RunnerExit): SandboxExit {
  const { code, signal, timedOut, outOfMemory, failed } = told;
  if (failed !== undefined) {
    return broken(
      `The code could not be started in the sandbox (${printable(failed)}). Run it again; if that does not help, remove its image from the engine and start the app again, which makes a new one.`,
    );
  }
  if (timedOut) return { kind: 'timed_out' };
  // Whatever the program made of it: something of it is missing.
  if (outOfMemory) return { kind: 'out_of_memory' };
  if (code !== null) return { kind: 'exited', exitCode: code };
  if (signal !== null && /^SIG[A-Z0-9]+$/.test(signal)) return { kind: 'signalled', signal };
  return broken('The sandbox was stopped because it misbehaved: its exit says nothing. Run it again.');
}

/** Why a container is no longer there, from what the engine says; null: the engine does not answer. */
export function endOf(state: ContainerState | null): SandboxExit {
  if (state === null) {
    return broken('The container engine stopped during the run. Start it, then run the request again.');
  }
  if (state.outOfMemory) return { kind: 'out_of_memory' };
  const said = state.error === '' ? '' : ` The engine says: ${printable(state.error)}.`;
  return broken(`The sandbox ended by itself during the run (exit code ${state.exitCode}).${said} Run it again.`);
}

export function broken(message: string): SandboxExit {
  return { kind: 'broken', message };
}

/** Outside text as a part of a sentence of ours. */
export function printable(text: string): string {
  return text
    .replace(/[^\x21-\x7e]+/g, ' ')
    .trim()
    .replace(/\.+$/, '')
    .slice(0, 300);
}

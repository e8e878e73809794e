import type { RunPulse } from '../../contract/runView.ts';

const BEAT_MS = 100;

export type RunWatchPorts = Readonly<{
  /** How it stands now. Throws when there is no such run. */
  pulse: (id: string) => RunPulse;
  /** The window is where somebody can see it. */
  isSeen: () => boolean;
  emit: (pulse: RunPulse) => void;
  /** Nobody looks at a run any more. */
  closed: () => void;
  /** It could not be read now; the next change tries again. */
  failed: (error: unknown) => void;
}>;

/**
 * Follows the run that the window has open. However much it writes, the window is told no more often than every 100 ms,
 * and only how far it has come: it reads the rows that it shows. Nothing is looked at while nobody sees it.
 */
export class RunWatch {
  readonly #ports: RunWatchPorts;
  #id: string | null = null;
  #told = '';
  #timer: NodeJS.Timeout | null = null;

  constructor(ports: RunWatchPorts) {
    this.#ports = ports;
  }

  /** Throws what `pulse` throws. */
  watch(id: string | null): void {
    this.#rest();
    if (this.#id !== null && this.#id !== id) this.#ports.closed();
    this.#id = id;
    this.#told = '';
    this.#beat();
  }

  /** The window may be in sight (again), or the run may have started. */
  seen(): void {
    if (this.#timer !== null) return;
    try {
      this.#beat();
    } catch (error) {
      this.#ports.failed(error);
    }
  }

  #beat(): void {
    if (this.#id === null || !this.#ports.isSeen()) return;
    const pulse = this.#ports.pulse(this.#id);
    const text = JSON.stringify(pulse);
    if (text !== this.#told) this.#ports.emit(pulse);
    this.#told = text;
    // What waits is looked at again when its state changes.
    if (pulse.status !== 'running') return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.seen();
    }, BEAT_MS);
  }

  #rest(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  dispose(): void {
    this.watch(null);
  }
}

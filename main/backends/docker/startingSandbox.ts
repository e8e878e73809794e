import { unlessAborted } from '../../core/unlessAborted.ts';
import type { Warming } from '../warmPool.ts';
import type { ContainerSandbox } from './containerSandbox.ts';

/** A container sandbox on its way to being ready, or waiting there for its job. */
export class StartingSandbox implements Warming<ContainerSandbox> {
  readonly ready: Promise<ContainerSandbox>;
  readonly gone: Promise<void>;
  readonly #ending = new AbortController();

  /** `start` gives the sandbox; when its signal fires first, it rejects and leaves nothing. */
  constructor(start: (signal: AbortSignal) => Promise<ContainerSandbox>) {
    const { signal } = this.#ending;
    this.ready = start(signal);
    this.gone = this.ready.then(
      (sandbox) => unlessAborted(sandbox.gone, signal).then(() => sandbox.discard()),
      () => {},
    );
  }

  get isUnwanted(): boolean {
    return this.#ending.signal.aborted;
  }

  kill(): void {
    this.#ending.abort();
  }
}

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
      (sandbox) => Promise.race([sandbox.gone, unwanted(signal)]).then(() => sandbox.discard()),
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

function unwanted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

import { childMessageSchema } from '../../../contract/sandboxMessages.ts';
import type { Log } from '../../core/log.ts';
import { SandboxStartError, type Warming } from '../warmPool.ts';
import type { ChildLauncher, SandboxChild } from './childLauncher.ts';

/**
 * How long each try may take. Now and then an Electron 33 utility process hangs in its start, mostly when two start at
 * once; waiting longer does not help, starting another does.
 */
const triesMs = [3_000, 5_000, 7_000] as const;

/** A sandbox process on its way to being ready, replaced when it hangs. */
export class StartingChild implements Warming<SandboxChild> {
  /** Rejects with SandboxStartError. */
  readonly ready: Promise<SandboxChild>;
  /** Resolves when the process ended before somebody took it over by listening to it. */
  readonly gone: Promise<void>;
  readonly #launcher: ChildLauncher;
  readonly #log: Log;
  #child: SandboxChild | null = null;
  #isUnwanted = false;

  constructor(launcher: ChildLauncher, log: Log) {
    this.#launcher = launcher;
    this.#log = log;
    let ended = (): void => {};
    this.gone = new Promise((resolve) => {
      ended = resolve;
    });
    this.ready = new Promise((resolve, reject) => this.#try(0, resolve, reject, ended));
  }

  /** Nobody wants it any more: that it ends now is no problem of the sandbox. */
  get isUnwanted(): boolean {
    return this.#isUnwanted;
  }

  kill(): void {
    this.#isUnwanted = true;
    this.#child?.kill();
  }

  #try(
    attempt: number,
    resolve: (child: SandboxChild) => void,
    reject: (error: SandboxStartError) => void,
    ended: () => void,
  ): void {
    const child = this.#launcher.launch();
    this.#child = child;
    const limitMs = triesMs[attempt] ?? 0;
    const timer = setTimeout(() => {
      if (attempt + 1 < triesMs.length) {
        this.#log.warn({ limitMs }, 'a sandbox process hung in its start and is replaced');
        child.onMessage(() => {});
        child.onExit(() => {});
        child.kill();
        this.#try(attempt + 1, resolve, reject, ended);
        return;
      }
      reject(new SandboxStartError(`${triesMs.length} processes in a row were not ready in time`));
      child.kill();
    }, limitMs);
    child.onMessage((message) => {
      clearTimeout(timer);
      const parsed = childMessageSchema.safeParse(message);
      if (parsed.success && parsed.data.type === 'ready') {
        resolve(child);
        return;
      }
      reject(new SandboxStartError('it said something before it was ready'));
      child.kill();
    });
    child.onExit((reason) => {
      clearTimeout(timer);
      reject(new SandboxStartError(`it ended at its start (${reason})`));
      ended();
    });
  }
}

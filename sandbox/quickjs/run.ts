import type { ChildMessage, ChildOutcome, HostMessage } from '../../contract/sandboxMessages.ts';
import { type Engine, EngineCrash, type GuestValue } from './engine.ts';
import { watchFloating } from './floating.ts';
import { GuestOutput } from './guestOutput.ts';
import { GuestRequests } from './guestRequests.ts';
import { GuestTimers } from './guestTimers.ts';
import { computed, list, Refusal, text, whole } from './operations.ts';
import { stripTypes } from './stripTypes.ts';

type Job = Extract<HostMessage, { type: 'job' }>;

const jobsPerTurn = 1000;

/**
 * One program from its first statement to its end: runs its jobs in turns, keeps its timers, carries its requests,
 * and finds out when nothing is left to do. Ends by sending one `exit`; the host then kills the process.
 */
export class GuestRun {
  readonly #send: (message: ChildMessage) => void;
  readonly #output: GuestOutput;
  readonly #requests: GuestRequests;
  readonly #timers = new GuestTimers((id) => this.#tell({ event: 'timer', id }));
  #engine: Engine | null = null;
  #main: GuestValue | null = null;
  #stop: ChildOutcome | null = null;
  #isOver = false;
  #isTurnPlanned = false;

  constructor(send: (message: ChildMessage) => void) {
    this.#send = send;
    this.#output = new GuestOutput(send);
    this.#requests = new GuestRequests(send);
  }

  /** What the prelude asks. Results go back as JSON or bytes; a refusal becomes an error of the guest. */
  readonly operate = (operation: string, json: string, bytes: Uint8Array | null): string | Uint8Array => {
    try {
      const argument: unknown = JSON.parse(json);
      const value = computed(operation, argument, bytes) ?? this.#act(operation, argument, bytes);
      return value instanceof Uint8Array ? value : JSON.stringify({ value });
    } catch (error) {
      if (error instanceof Refusal) return JSON.stringify({ error: [error.kind, error.message] });
      throw error;
    }
  };

  async start(job: Job, engine: Engine): Promise<void> {
    this.#engine = engine;
    const deadline = Date.now() + job.limits.timeoutMs;
    engine.stopWhen(() => {
      if (this.#stop === null && Date.now() >= deadline) this.#stop = { kind: 'timed_out' };
      return this.#stop !== null;
    });
    const code = new TextDecoder('utf-8').decode(job.bytes ?? new Uint8Array(0));
    const script = await this.#prepared(code);
    this.#guarded(() => {
      engine.dispatch({ event: 'environment', env: job.env });
      if (script === null) return;
      const result = engine.run(script);
      if (result.ok) this.#main = result.value;
      else this.#uncaught(engine, result.error);
    });
    this.#turn();
  }

  receive(message: Exclude<HostMessage, Job>): void {
    switch (message.type) {
      case 'output_taken':
        this.#output.taken(message.fd, message.count);
        break;
      case 'response': {
        const { id, status, statusText, headers } = message;
        this.#tell({ event: 'response', id, status, statusText, headers });
        break;
      }
      case 'chunk':
        this.#tell({ event: 'chunk', id: message.id }, message.bytes);
        break;
      case 'end':
        this.#requests.closed(message.id);
        this.#tell({ event: 'end', id: message.id });
        break;
      case 'failed':
        this.#requests.closed(message.id);
        this.#tell({ event: 'failed', id: message.id, message: message.message });
        break;
    }
  }

  /** The code as JavaScript, or null when it is refused (and said so). Plain JavaScript keeps its meaning untouched. */
  async #prepared(code: string): Promise<string | null> {
    const script = watchFloating(code);
    if (script !== null) return script;
    const stripped = await stripTypes(code);
    if (stripped.ok) return watchFloating(stripped.code) ?? stripped.code;
    // Neither parser could say what is wrong: QuickJS will.
    if (stripped.message === null) return code;
    this.#fail(stripped.message);
    return null;
  }

  /** One slice of the guest's jobs, then back to the event loop, so that timers and messages are never starved. */
  #turn(): void {
    this.#isTurnPlanned = false;
    const engine = this.#engine;
    if (engine === null || this.#isOver) return;
    this.#guarded(() => {
      if (this.#stop !== null) return;
      const jobs = engine.runJobs(jobsPerTurn);
      if (this.#stop !== null) return;
      if (jobs.error !== null) this.#uncaught(engine, jobs.error);
      else if (jobs.areMore) this.#plan();
      else this.#rest(engine);
    });
    if (this.#stop !== null) this.#end(engine, this.#stop);
  }

  #plan(): void {
    if (this.#isTurnPlanned) return;
    this.#isTurnPlanned = true;
    setImmediate(() => this.#turn());
  }

  /** No job is left: the program waits for something, or it is over. */
  #rest(engine: Engine): void {
    if (this.#main === null) return;
    const main = engine.settled(this.#main);
    if (main !== null && !main.ok) {
      this.#uncaught(engine, main.error);
      return;
    }
    const waits = engine.dispatch({ event: 'status' }) ?? 0;
    if (waits > 0 || this.#timers.keepsAlive) return;
    if (main === null) {
      this.#fail('A top-level await never settles: nothing is left that could wake the program.', 13);
      return;
    }
    engine.dispatch({ event: 'finish' });
    this.#stop ??= { kind: 'exited', exitCode: 0 };
  }

  #tell(event: Readonly<Record<string, unknown>>, bytes?: Uint8Array): void {
    const engine = this.#engine;
    if (engine === null || this.#isOver) return;
    this.#guarded(() => {
      if (engine.dispatch(event, undefined, bytes) === null) this.#stop ??= { kind: 'exited', exitCode: 1 };
    });
    this.#turn();
  }

  #uncaught(engine: Engine, error: GuestValue): void {
    engine.dispatch({ event: 'uncaught' }, error);
    this.#stop ??= { kind: 'exited', exitCode: 1 };
  }

  #fail(message: string, exitCode = 1): void {
    this.#output.print(2, `${message}\n`);
    this.#stop ??= { kind: 'exited', exitCode };
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof EngineCrash)) throw error;
      this.#stop ??= { kind: 'crashed' };
    }
  }

  #end(engine: Engine, outcome: ChildOutcome): void {
    this.#isOver = true;
    this.#timers.clear();
    const hasFailed = outcome.kind === 'crashed' || (outcome.kind === 'exited' && outcome.exitCode === 1);
    this.#send({ type: 'exit', outcome: hasFailed && engine.ranOutOfMemory ? { kind: 'out_of_memory' } : outcome });
  }

  #act(operation: string, argument: unknown, bytes: Uint8Array | null): boolean | null {
    switch (operation) {
      case 'print': {
        const [fd, shown] = list(argument);
        return this.#stop === null && this.#output.print(fd === 2 ? 2 : 1, text(shown));
      }
      case 'exit':
        this.#stop ??= { kind: 'exited', exitCode: whole(argument) & 255 };
        return null;
      case 'timer': {
        const [id, delayMs, repeats, keepsAlive] = list(argument);
        this.#timers.start(whole(id), whole(delayMs), repeats === true, keepsAlive === true);
        return null;
      }
      case 'untimer':
        this.#timers.stop(whole(argument));
        return null;
      case 'fetch':
        this.#requests.open(argument, bytes);
        return null;
      case 'credit':
        this.#requests.credit(argument);
        return null;
      case 'cancel':
        this.#requests.cancel(whole(argument));
        return null;
      default:
        throw new Refusal('TypeError', `no operation '${operation}'`);
    }
  }
}

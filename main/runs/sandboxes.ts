import type { SandboxView } from '../../contract/owner.ts';
import { type Isolation, isolationSatisfies, isolations, type Runtime, runtimeNames } from '../../contract/runtime.ts';
import type { SandboxChoice } from '../core/manifest.ts';
import type { Backend, BackendStatus } from './backend.ts';

/** All sandboxes that there are, and which one runs what: never another runtime and never a weaker isolation. */
export class Sandboxes {
  readonly #backends: readonly Backend[];
  readonly #absent: string | null;

  /** `backends`: weakest isolation first, each isolation once. `absent`: why there are not more, as a sentence. */
  constructor(backends: readonly Backend[], absent: string | null = null) {
    this.#backends = backends;
    this.#absent = absent;
  }

  /**
   * The weakest sandbox that satisfies `minimum` and is ready; else one that is being prepared, which a run then waits
   * for.
   */
  pick(runtime: Runtime, minimum: Isolation): SandboxChoice {
    const fitting = this.#fitting(runtime, minimum).map((backend) => ({ backend, status: backend.status(runtime) }));
    const chosen =
      fitting.find(({ status }) => status.ready) ?? fitting.find(({ status }) => !status.ready && status.coming);
    if (chosen !== undefined) {
      const { backend, status } = chosen;
      const facts = { isolation: backend.isolation, carrier: backend.carrier(runtime) };
      return { ready: true, facts, waitsFor: status.ready ? null : status.reason };
    }
    const first = fitting[0]?.status;
    if (first !== undefined && !first.ready) return { ready: false, reason: first.reason };
    return { ready: false, reason: this.#lack(runtime, minimum) };
  }

  /** As `pick`, for something that is to be run: what is missing for it begins to be made, or is tried again. */
  want(runtime: Runtime, minimum: Isolation): SandboxChoice {
    const choice = this.pick(runtime, minimum);
    if (choice.ready && choice.waitsFor === null) return choice;
    const wanted = this.#fitting(runtime, choice.ready ? choice.facts.isolation : minimum)[0];
    wanted?.prepare(runtime);
    return choice;
  }

  /** For each isolation `ready`, or sentences that say what is missing. */
  states(): Readonly<Record<Isolation, string>> {
    const [embedded, container, gvisor, kata] = isolations;
    return {
      [embedded]: this.#stateOf(embedded),
      [container]: this.#stateOf(container),
      [gvisor]: this.#stateOf(gvisor),
      [kata]: this.#stateOf(kata),
    };
  }

  /** What an isolation level does not enforce on this machine, a sentence each. */
  notes(isolation: Isolation): readonly string[] {
    return this.#backends.find((backend) => backend.isolation === isolation)?.notes() ?? [];
  }

  /** Every runtime at every isolation level. */
  list(): readonly SandboxView[] {
    return this.#backends.flatMap((backend) => backend.runtimes.map((runtime) => view(backend, runtime)));
  }

  /** Makes what is missing and resolves when each of these is ready or known not to be; `onStep` is told how it goes. */
  prepare(
    runtimes: readonly Runtime[],
    isolation: Isolation,
    onStep: (sentence: string) => void,
  ): Promise<readonly SandboxView[]> {
    const backend = this.#backends.find((candidate) => candidate.isolation === isolation);
    if (backend === undefined) return Promise.resolve([]);
    const wanted = backend.runtimes.filter((runtime) => runtimes.length === 0 || runtimes.includes(runtime));
    for (const runtime of wanted) backend.prepare(runtime);
    return new Promise((resolve) => {
      let last = '';
      const look = (): void => {
        const views = wanted.map((runtime) => view(backend, runtime));
        const step = views.find(({ state }) => state === 'busy')?.detail ?? '';
        if (step !== '' && step !== last) onStep(step);
        last = step;
        if (views.some(({ state }) => state === 'busy' || state === 'coming')) return;
        stop();
        resolve(views);
      };
      const stop = backend.onChange(look);
      look();
    });
  }

  /**
   * Announces that any of them became ready, went away or got further, and apart from that when another image than
   * before would carry runs. Returns the function that ends it.
   */
  onChange(listeners: Readonly<{ changed: () => void; replaced: () => void }>): () => void {
    const images = (): string => JSON.stringify(this.list().map(({ image }) => image));
    let known = images();
    const look = (): void => {
      const now = images();
      const isReplaced = now !== known;
      known = now;
      listeners.changed();
      if (isReplaced) listeners.replaced();
    };
    const ends = this.#backends.map((backend) => backend.onChange(look));
    return () => {
      for (const end of ends) end();
    };
  }

  /** What a first run takes as default: Deno if a container engine carries it, else what is always there. */
  firstRuntime(): Runtime {
    return this.pick('deno', 'embedded').ready ? 'deno' : 'quickjs';
  }

  #fitting(runtime: Runtime, minimum: Isolation): readonly Backend[] {
    return this.#backends.filter(
      ({ runtimes, isolation }) => runtimes.includes(runtime) && isolationSatisfies(isolation, minimum),
    );
  }

  /** For the agent, who may ask for something else, and for the owner, who may set it up. */
  #lack(runtime: Runtime, minimum: Isolation): string {
    const offers = this.#backends.flatMap(({ runtimes, isolation }) =>
      runtimes.map((name) => `${name} (${isolation})`),
    );
    return [
      `No sandbox on this machine runs ${runtime} with isolation ${minimum} or a stronger one.`,
      ...(this.#absent === null ? [] : [asSentence(this.#absent)]),
      ...(offers.length === 0
        ? []
        : [`What it has: ${offers.join(', ')}. Ask for one of these, or ask the owner to set up the other.`]),
    ].join(' ');
  }

  #stateOf(isolation: Isolation): string {
    const backend = this.#backends.find((candidate) => candidate.isolation === isolation);
    if (backend === undefined) return this.#absent === null ? 'not available' : `not available: ${this.#absent}`;
    const statuses = backend.runtimes.map((runtime) => ({ runtime, status: backend.status(runtime) }));
    if (statuses.every(({ status }) => status.ready)) return 'ready';
    const namesOf = (wanted: (status: BackendStatus) => boolean): string =>
      statuses.flatMap(({ runtime, status }) => (wanted(status) ? [runtimeNames[runtime]] : [])).join(', ');
    const ready = namesOf((status) => status.ready);
    const isOnDemand = (status: BackendStatus): boolean => !status.ready && status.coming && status.busy !== true;
    const onDemand = namesOf(isOnDemand);
    const reasons = new Set(
      statuses.flatMap(({ status }) => (status.ready || isOnDemand(status) ? [] : [asSentence(status.reason)])),
    );
    if (ready === '' && onDemand === '' && reasons.size === 1) return `not available: ${[...reasons].join()}`;
    return [
      ...(ready === '' ? [] : [`ready for ${ready}.`]),
      ...reasons,
      ...(onDemand === '' ? [] : [`Made when first needed: ${onDemand}.`]),
    ].join(' ');
  }
}

const asSentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

function view(backend: Backend, runtime: Runtime): SandboxView {
  const status = backend.status(runtime);
  const facts = { runtime, isolation: backend.isolation, image: backend.carrier(runtime).image };
  if (status.ready) return { ...facts, state: 'ready', detail: '' };
  if (!status.coming) return { ...facts, state: 'unavailable', detail: status.reason };
  return { ...facts, state: status.busy === true ? 'busy' : 'coming', detail: status.reason };
}

import { type Isolation, isolationSatisfies, isolations, type Runtime } from '../../contract/runtime.ts';
import type { SandboxChoice, SandboxFacts } from '../core/manifest.ts';
import type { Backend } from './backend.ts';

/** A backend and the ids of what carries its runs, as they go into a manifest. */
export type Sandbox = Readonly<{ backend: Backend; carrier: SandboxFacts['carrier'] }>;

const howToAdd: Readonly<Record<Isolation, string>> = {
  embedded: 'The embedded sandbox did not start; see the log.',
  container: 'It needs a container engine, which this version does not use yet.',
  gvisor: 'It needs a container engine with gVisor, which this version does not use yet.',
  kata: 'It needs a container engine with Kata, which this version does not use yet.',
};

/** All sandboxes that there are, and which one runs what: never another runtime and never a weaker isolation. */
export class Sandboxes {
  readonly #sandboxes: readonly Sandbox[];

  constructor(sandboxes: readonly Sandbox[]) {
    this.#sandboxes = sandboxes;
  }

  pick(runtime: Runtime, minimum: Isolation): SandboxChoice {
    const fitting = this.#sandboxes.filter(
      ({ backend }) => backend.runtimes.includes(runtime) && isolationSatisfies(backend.isolation, minimum),
    );
    const ready = fitting.find(({ backend }) => backend.status().ready);
    if (ready !== undefined) {
      return { ready: true, facts: { isolation: ready.backend.isolation, carrier: ready.carrier } };
    }
    const status = fitting[0]?.backend.status();
    if (status !== undefined && !status.ready) return { ready: false, reason: status.reason };
    const offered = this.#sandboxes.flatMap(({ backend }) =>
      backend.runtimes.map((name) => `${name} (isolation ${backend.isolation})`),
    );
    const all = offered.length === 0 ? 'nothing' : offered.join(', ');
    return { ready: false, reason: `This machine runs ${all}. Ask for that, or ask the owner to add the other.` };
  }

  /** One word or sentence for each isolation level. */
  states(): Readonly<Record<Isolation, string>> {
    const stateOf = (isolation: Isolation): string => {
      const backend = this.#sandboxes.find((sandbox) => sandbox.backend.isolation === isolation)?.backend;
      if (backend === undefined) return `not available. ${howToAdd[isolation]}`;
      const status = backend.status();
      return status.ready ? 'ready' : status.reason;
    };
    const [embedded, container, gvisor, kata] = isolations;
    return {
      [embedded]: stateOf(embedded),
      [container]: stateOf(container),
      [gvisor]: stateOf(gvisor),
      [kata]: stateOf(kata),
    };
  }

  /** What a first run takes as default: Deno if a container engine carries it, else what is always there. */
  firstRuntime(): Runtime {
    return this.pick('deno', 'embedded').ready ? 'deno' : 'quickjs';
  }
}

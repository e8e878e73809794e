import { inspect } from 'node:util';
import type { Choices } from './choices.ts';

/** The product did with an input what it must not do. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

/** Throws Broken unless it holds; `what` is a sentence about what is wrong. */
export function must(holds: boolean, what: string, facts?: unknown): asserts holds {
  if (!holds) throw new Broken(facts === undefined ? what : `${what}: ${shown(facts)}`);
}

/** What a target does with inputs, once it is set up. */
export type Bench<Input> = Readonly<{
  make(choices: Choices): Input;
  /** Throws, or rejects, when the product fails on it. Resolves when nothing of the input is left. */
  check(input: Input): void | Promise<void>;
  close?(): void | Promise<void>;
}>;

export type Play = Readonly<{
  /** Makes one input and checks it. */
  play(choices: Choices): void | Promise<void>;
  /** The input that these choices make, for a person. */
  show(choices: Choices): string;
  close(): Promise<void>;
}>;

/** One surface that is fed with inputs. */
export type Target = Readonly<{
  name: string;
  /** Inputs in a run of a million. */
  inputs: number;
  /** Inputs in a run of the tests: a few seconds. */
  testInputs: number;
  /** Bytes that are known to stay of each input, on average. */
  keptPerInput?: number;
  open(): Promise<Play>;
}>;

export function target<Input>(
  facts: Pick<Target, 'name' | 'inputs' | 'testInputs' | 'keptPerInput'>,
  open: () => Bench<Input> | Promise<Bench<Input>>,
): Target {
  return {
    ...facts,
    async open() {
      const { make, check, close } = await open();
      return {
        play: (choices) => check(make(choices)),
        show: (choices) => shown(make(choices)),
        close: async () => close?.(),
      };
    },
  };
}

/** Bytes as the text that they mostly are, one character a byte. */
function legible(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${JSON.stringify(Buffer.from(value).toString('latin1'))}`;
  if (Array.isArray(value)) return value.map(legible);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, legible(item)]));
}

function shown(value: unknown): string {
  return inspect(legible(value), { depth: 8, maxStringLength: 4000, maxArrayLength: 200, breakLength: 120 });
}

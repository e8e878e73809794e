import { setImmediate as turn } from 'node:timers/promises';
import { Choices } from './choices.ts';
import { type Growth, growthOf, leakIn, type MemorySample, sampleMemory } from './memory.ts';
import { minimised } from './minimise.ts';
import { Broken, type Play, type Target } from './target.ts';

export type Outcome = Readonly<{
  target: string;
  seed: number;
  inputs: number;
  seconds: number;
  growth: Growth;
  /** Null: all was well. */
  failure: string | null;
}>;

export type CampaignOptions = Readonly<{
  seed: number;
  inputs: number;
  /** Called now and then with the number of inputs so far: who hears nothing for long knows of a hang. */
  onProgress?: (inputs: number) => void;
}>;

/** Of one input. A machine that eight others share can be slow; what really hangs takes for ever. */
const deadlineMs = 20_000;
const minimiseMs = 20_000;
const samples = 30;
/** Inputs that are checked without a pause for what they left behind to happen. */
const batch = 64;

/** Hears of whatever nobody caught while inputs are checked. */
class Crashes {
  #first: Error | null = null;
  #tell: (error: Error) => void = () => {};

  constructor() {
    process.on('uncaughtException', this.#hear).on('unhandledRejection', this.#hear);
  }

  readonly #hear = (error: unknown): void => {
    const crash = new Broken(
      `nobody caught ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    this.#first ??= crash;
    this.#tell(crash);
  };

  /** Throws what was heard since the last time. */
  raise(): void {
    const crash = this.#first;
    this.#first = null;
    if (crash !== null) throw crash;
  }

  /** Ends with the work, with a crash, or with the deadline. */
  async during(work: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const cut = new Promise<never>((_resolve, reject) => {
      this.#tell = reject;
      timer = setTimeout(() => reject(new Broken(`nothing came of it in ${deadlineMs} ms`)), deadlineMs);
    });
    try {
      await Promise.race([work, cut]);
    } finally {
      clearTimeout(timer);
      this.#tell = () => {};
    }
  }

  stop(): void {
    process.off('uncaughtException', this.#hear).off('unhandledRejection', this.#hear);
  }
}

/** Why these choices make the product fail, or null. */
async function failureOf(play: Play, choices: Choices, crashes: Crashes, settle: boolean): Promise<string | null> {
  const startedAt = performance.now();
  try {
    const work = play.play(choices);
    if (work !== undefined) await crashes.during(work);
    if (settle || work !== undefined) await turn();
    crashes.raise();
  } catch (error) {
    await turn();
    try {
      crashes.raise();
    } catch {
      // It belongs to the same input.
    }
    return error instanceof Error
      ? error instanceof Broken
        ? error.message
        : (error.stack ?? error.message)
      : String(error);
  }
  const ms = performance.now() - startedAt;
  return ms > deadlineMs ? `it took ${Math.round(ms)} ms` : null;
}

async function told(
  play: Play,
  crashes: Crashes,
  failed: Readonly<{ seed: number; index: number; taken: readonly number[]; what: string }>,
): Promise<string> {
  const isHang = failed.what.startsWith('nothing came');
  const fails = async (list: readonly number[]): Promise<readonly number[] | null> => {
    const choices = Choices.again(list);
    return (await failureOf(play, choices, crashes, true)) === null ? null : choices.taken;
  };
  const smallest = isHang ? failed.taken : await minimised(failed.taken, fails, minimiseMs);
  const again = Choices.again(smallest);
  const what = isHang ? failed.what : ((await failureOf(play, again, crashes, true)) ?? failed.what);
  return [
    `input ${failed.index} of seed ${failed.seed}: ${what}`,
    `smallest input found: ${play.show(Choices.again(smallest))}`,
    `its choices: ${JSON.stringify(smallest)}`,
  ].join('\n');
}

/** Feeds one target with so many inputs of a seed, or up to the first that it fails on. */
export async function runCampaign(target: Target, options: CampaignOptions): Promise<Outcome> {
  const { seed, inputs, onProgress } = options;
  const startedAt = performance.now();
  const play = await target.open();
  const crashes = new Crashes();
  const memory: MemorySample[] = [];
  const every = Math.max(1, Math.floor(inputs / samples));
  let failure: string | null = null;
  let done = 0;
  try {
    for (; done < inputs && failure === null; done += 1) {
      const choices = Choices.of(seed, done);
      const what = await failureOf(play, choices, crashes, done % batch === 0);
      if (what !== null) failure = await told(play, crashes, { seed, index: done, taken: choices.taken, what });
      if (done % every === 0) {
        memory.push(sampleMemory(done));
        onProgress?.(done);
      }
    }
  } finally {
    crashes.stop();
    await play.close();
  }
  const growth = growthOf(memory);
  return {
    target: target.name,
    seed,
    inputs: done,
    seconds: (performance.now() - startedAt) / 1000,
    growth,
    // Without a collection before each sample its figures say nothing.
    failure: failure ?? (globalThis.gc === undefined ? null : leakIn(growth, target.keptPerInput ?? 0)),
  };
}

/** Work that can be interrupted: each `yield` is a place where others may have their turn. */
export type Slices<T> = Generator<void, T, void>;

const unitsASlice = 8192;

/** Says when a slice is long enough; counted in units of work, of which some thousand take a millisecond. */
export class Pace {
  #units = 0;

  isDue(units: number): boolean {
    this.#units += units;
    if (this.#units < unitsASlice) return false;
    this.#units = 0;
    return true;
  }
}

/** All slices without a pause. */
export function atOnce<T>(work: Slices<T>): T {
  let step = work.next();
  while (step.done !== true) step = work.next();
  return step.value;
}

/** One slice a turn; `turn` settles when whatever else waits has been served. */
export async function inTurns<T>(work: Slices<T>, turn: () => Promise<void>): Promise<T> {
  let step = work.next();
  while (step.done !== true) {
    await turn();
    step = work.next();
  }
  return step.value;
}

/** Lets a few in at once: many containers that start together are each as slow as all of them. Runs go first. */
export class StartGate {
  readonly #limit: number;
  #inside = 0;
  readonly #urgent: (() => void)[] = [];
  readonly #patient: (() => void)[] = [];

  /** `limit`: how many may be inside, 1 or more. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Does `work` when there is room. A caller that is `urgent` (a run waits for it) goes before the others. */
  async through<Result>(isUrgent: boolean, work: () => Promise<Result>): Promise<Result> {
    if (this.#inside >= this.#limit) {
      await new Promise<void>((resolve) => (isUrgent ? this.#urgent : this.#patient).push(resolve));
    } else {
      this.#inside += 1;
    }
    try {
      return await work();
    } finally {
      const next = this.#urgent.shift() ?? this.#patient.shift();
      // The place is handed over, so nobody slips in between.
      if (next === undefined) this.#inside -= 1;
      else next();
    }
  }
}

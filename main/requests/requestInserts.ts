import type { NewRequest, NewRequestResult, Records } from '../core/records.ts';

type Job = Readonly<{
  prepare: () => NewRequest;
  resolve: (result: NewRequestResult) => void;
  reject: (error: unknown) => void;
}>;
type Prepared = Readonly<{ job: Job; request: NewRequest }>;

/**
 * Stores requests that arrive within two turns of the event loop as one transaction: each is on disk before it is
 * answered, and they wait for the disk once, not one after the other.
 */
export class RequestInserts {
  readonly #records: Pick<Records, 'insertRequest' | 'together'>;
  #jobs: Job[] = [];

  constructor(records: Pick<Records, 'insertRequest' | 'together'>) {
    this.#records = records;
  }

  /**
   * `prepare` looks at the world and says what to store, synchronously and just before it is stored; what it throws
   * concerns its own request only. Rejects with that, or with what the store throws.
   */
  insert(prepare: () => NewRequest): Promise<NewRequestResult> {
    return new Promise((resolve, reject) => {
      // One turn more than needed: callers whose last answer went out in this turn are heard in the next one.
      if (this.#jobs.length === 0) setImmediate(() => setImmediate(() => this.#storeAll()));
      this.#jobs.push({ prepare, resolve, reject });
    });
  }

  #storeAll(): void {
    const jobs = this.#jobs;
    this.#jobs = [];
    const prepared = jobs.flatMap((job): Prepared[] => {
      try {
        return [{ job, request: job.prepare() }];
      } catch (error) {
        job.reject(error);
        return [];
      }
    });
    if (prepared.length === 0) return;
    try {
      const results = this.#records.together(() => prepared.map(({ request }) => this.#records.insertRequest(request)));
      for (const [at, result] of results.entries()) prepared[at]?.job.resolve(result);
    } catch {
      // Nothing was stored. One of them may be at fault: each by itself, so that the others do not suffer for it.
      for (const one of prepared) this.#storeOne(one);
    }
  }

  #storeOne({ job, request }: Prepared): void {
    try {
      job.resolve(this.#records.insertRequest(request));
    } catch (error) {
      job.reject(error);
    }
  }
}

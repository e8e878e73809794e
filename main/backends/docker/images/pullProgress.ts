import { z } from 'zod';

const pullLineSchema = z.looseObject({
  id: z.string().optional(),
  status: z.string().optional(),
  progressDetail: z.looseObject({ current: z.number().optional(), total: z.number().optional() }).optional(),
  error: z.string().optional(),
});
export type PullLine = z.infer<typeof pullLineSchema>;

/** One JSON line of a pull or a build; null when it is something else. */
export function pullLine(line: unknown): PullLine | null {
  const parsed = pullLineSchema.safeParse(line);
  return parsed.success ? parsed.data : null;
}

/** Follows the lines of one pull. */
export class PullProgress {
  readonly #layers = new Map<string, Readonly<{ current: number; total: number }>>();
  readonly #seen = new Set<string>();
  #highest = 0;

  /** Whether the registry has said anything. */
  get hasBegun(): boolean {
    return this.#seen.size > 0;
  }

  /** 0 to 1, never falling, over the bytes of the layers that were announced; null before the first. */
  get done(): number | null {
    return this.#layers.size === 0 ? null : this.#highest;
  }

  /**
   * Takes in a line. True when it is a step forward: more bytes, or something that was not said before. What an engine
   * repeats while it tries again and again is none.
   */
  take({ id = '', status = '', progressDetail }: PullLine): boolean {
    const { current, total } = progressDetail ?? {};
    const saying = `${id} ${status} ${current ?? ''}`;
    const isNew = !this.#seen.has(saying);
    this.#seen.add(saying);
    // Without a length an engine counts up to nothing; such a layer has no part in the whole.
    if (status === 'Downloading' && current !== undefined && total !== undefined && total > 0) {
      this.#layers.set(id, { current: Math.min(current, total), total });
    }
    const layer = this.#layers.get(id);
    if (layer !== undefined && (status === 'Download complete' || status === 'Pull complete')) {
      this.#layers.set(id, { ...layer, current: layer.total });
    }
    const layers = [...this.#layers.values()];
    const sum = (pick: 'current' | 'total') => layers.reduce((bytes, each) => bytes + each[pick], 0);
    if (layers.length > 0) this.#highest = Math.max(this.#highest, sum('current') / sum('total'));
    return isNew;
  }
}

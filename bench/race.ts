/** The value below which `share` (0-1) of the values lie, by nearest rank. NaN for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** One way of doing the same thing. `measure` gives one or more figures and does not return before the next may begin. */
export type Lane = Readonly<{
  name: string;
  measure: () => Promise<readonly number[]>;
  /** Judges the ratio of the first lane's p50 to this one's. */
  aim?: Readonly<{ text: string; holds: (ratio: number) => boolean }>;
}>;

type Figures = Readonly<{ lane: Lane; values: readonly number[] }>;

/** All figures of a race; the first lane is ours. */
export type Race = Readonly<{ name: string; unit: string; lanes: readonly Figures[] }>;

/**
 * Every lane is measured once in each round, so that a slow spell of the machine hits all of them, and another one begins
 * each round. A round before the first warms up what is warmed by use, and does not count.
 */
export async function race(name: string, unit: string, rounds: number, lanes: readonly Lane[]): Promise<Race> {
  const figures = lanes.map((lane) => ({ lane, values: [] as number[] }));
  for (const { measure } of lanes) await measure();
  for (let round = 0; round < rounds; round += 1) {
    const first = round % figures.length;
    for (const { lane, values } of [...figures.slice(first), ...figures.slice(0, first)]) {
      values.push(...(await lane.measure()));
    }
  }
  return { name, unit, lanes: figures };
}

/** p50 and p95 of each lane; for all but the first, how ours compares. `plus`: says also what ours adds. */
export function reportRace({ name, unit, lanes }: Race, plus = false): void {
  const width = Math.max(...lanes.map(({ lane }) => lane.name.length));
  const [ours, ...others] = lanes.map(({ lane, values }) => ({
    lane,
    p50: percentile(values, 0.5),
    p95: percentile(values, 0.95),
    count: values.length,
  }));
  if (ours === undefined) return;
  const figures = ({ lane, p50, p95, count }: typeof ours): string =>
    `  ${lane.name.padEnd(width)}  p50 ${digits(p50)}  p95 ${digits(p95)} ${unit}  (n=${count})`;
  const lines = others.map((other) => {
    const ratio = ours.p50 / other.p50;
    const { aim } = other.lane;
    const judged = aim === undefined ? '' : `   aim ${aim.text}: ${aim.holds(ratio) ? 'met' : 'NOT met'}`;
    const added = plus ? `   added ${digits(ours.p50 - other.p50)} ${unit}` : '';
    const ratios = `ratio p50 ${ratio.toFixed(2)}  p95 ${(ours.p95 / other.p95).toFixed(2)}`;
    return `${figures(other)}   ${ratios}${added}${judged}`;
  });
  process.stdout.write(`${[name, figures(ours), ...lines].join('\n')}\n`);
}

const digits = (value: number): string => value.toFixed(Math.abs(value) < 10 ? 2 : 1);

/** Middle value; the mean of the two middle ones for an even count. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  const lower = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  return (upper + lower) / 2;
}

export type Comparison = Readonly<{
  name: string;
  /** What both figures are, for example `requests/s` or `ms`. */
  unit: string;
  ours: readonly number[];
  theirs: readonly number[];
  aim: string;
  holds: (ratio: number) => boolean;
}>;

/** Rounds alternate, so that a slow spell of the machine hits both sides; the ratio is the median over the rounds. */
export async function interleave(
  rounds: number,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<Readonly<{ ours: readonly number[]; theirs: readonly number[] }>> {
  const figures = { ours: [] as number[], theirs: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    // Whoever goes first in a round changes as well.
    if (round % 2 === 0) figures.ours.push(await ours());
    figures.theirs.push(await theirs());
    if (round % 2 === 1) figures.ours.push(await ours());
  }
  return figures;
}

export function report({ name, unit, ours, theirs, aim, holds }: Comparison): void {
  const ratios = ours.map((figure, round) => figure / (theirs[round] ?? Number.NaN));
  const ratio = median(ratios);
  process.stdout.write(
    [
      `${name}`,
      `  ours     ${median(ours).toFixed(1)} ${unit}   (rounds: ${ours.map((figure) => figure.toFixed(1)).join(', ')})`,
      `  baseline ${median(theirs).toFixed(1)} ${unit}   (rounds: ${theirs.map((figure) => figure.toFixed(1)).join(', ')})`,
      `  ratio    ${ratio.toFixed(2)}   aim ${aim}: ${holds(ratio) ? 'met' : 'NOT met'}`,
      '',
    ].join('\n'),
  );
}

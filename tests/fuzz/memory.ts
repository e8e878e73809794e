/** Bytes of this process after its garbage was collected, where that can be asked for. */
export type MemorySample = Readonly<{ inputs: number; rss: number; live: number }>;

export function sampleMemory(inputs: number): MemorySample {
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { inputs, rss, live: heapUsed + external };
}

/** Growth in bytes for each input: the slope of the line through the samples (least squares). */
function slope(samples: readonly MemorySample[], of: 'rss' | 'live'): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(samples.map(({ inputs }) => inputs));
  const y = mean(samples.map((sample) => sample[of]));
  const covariance = mean(samples.map((sample) => (sample.inputs - x) * (sample[of] - y)));
  const variance = mean(samples.map(({ inputs }) => (inputs - x) ** 2));
  return variance === 0 ? 0 : covariance / variance;
}

export type Growth = Readonly<{ rssPerInput: number; livePerInput: number; overInputs: number }>;

/** How memory grew after the first third, in which caches and compiled code settle. */
export function growthOf(samples: readonly MemorySample[]): Growth {
  const settled = samples.slice(Math.floor(samples.length / 3));
  const overInputs = (settled.at(-1)?.inputs ?? 0) - (settled[0]?.inputs ?? 0);
  return { rssPerInput: slope(settled, 'rss'), livePerInput: slope(settled, 'live'), overInputs };
}

const mostLive = 16 * 1024 * 1024;
// The allocator gives back late: with live memory flat, 115 MiB were seen that did not go on growing.
const mostRss = 256 * 1024 * 1024;

/** A sentence when memory grew without end, beyond what is known to be kept of each input (bytes); else null. */
export function leakIn({ rssPerInput, livePerInput, overInputs }: Growth, keptPerInput: number): string | null {
  const [rss, live] = [rssPerInput * overInputs, livePerInput * overInputs];
  const known = keptPerInput * overInputs;
  if (rss <= mostRss + 3 * known && live <= mostLive + known) return null;
  const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  return `memory grew by ${mib(live)} live and ${mib(rss)} resident over ${overInputs} inputs`;
}

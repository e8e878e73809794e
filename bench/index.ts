import { benchPending } from './pending.ts';
import { report } from './ratio.ts';
import { benchReady } from './ready.ts';
import { benchTrusted } from './trusted.ts';

/** `npm run bench [-- name …]`: ratios against a baseline measured in the same run, in alternating rounds. */
const benches = {
  pending: () => benchPending(6),
  trusted: () => benchTrusted(6),
  ready: () => benchReady(6),
} as const;
type BenchName = keyof typeof benches;
const names = Object.keys(benches).filter((name): name is BenchName => name in benches);
const asked = names.filter((name) => process.argv.slice(2).includes(name));
for (const name of asked.length > 0 ? asked : names) report(await benches[name]());

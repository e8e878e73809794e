/** One target in a process of its own, started by scripts/fuzz.ts: `child.ts <target> <seed> <inputs>`. */
import { runCampaign } from './campaign.ts';
import { targets } from './targets.ts';

const [, , name, seed, inputs] = process.argv;
const target = targets.find((one) => one.name === name);
if (target === undefined) throw new Error(`there is no target ${name}`);
const outcome = await runCampaign(target, {
  seed: Number(seed),
  inputs: Number(inputs),
  onProgress: (done) => process.send?.({ done }),
});
process.send?.({ outcome }, () => process.exit(0));

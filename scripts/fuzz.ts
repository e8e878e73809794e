/**
 * `npm run fuzz [-- target …] [--seed N] [--inputs N]`: feeds every target with seeded inputs, each target in a process
 * of its own, and prints one line for each and a total. At least a million inputs unless told otherwise; `--inputs` is
 * for each target. Exit 1 if one failed.
 */
import { fork } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { Target } from '../tests/fuzz/target.ts';
import { targets } from '../tests/fuzz/targets.ts';
import { root, runScript, SetupError, say } from './setup/checkout.ts';

/** A child that says nothing for so long hangs in one input: its own deadline cannot end a loop. */
const silenceMs = 120_000;

const outcomeSchema = z.object({
  inputs: z.number(),
  seconds: z.number(),
  growth: z.object({ rssPerInput: z.number() }),
  failure: z.string().nullable(),
});
type Outcome = z.infer<typeof outcomeSchema>;
const messageSchema = z.union([z.object({ done: z.number() }), z.object({ outcome: outcomeSchema })]);

const wholeNumber = (text: string | undefined, name: string): number | null => {
  if (text === undefined) return null;
  if (!/^\d{1,9}$/.test(text)) throw new SetupError(`--${name} takes a whole number.`);
  return Number(text);
};

const runTarget = (name: string, seed: number, inputs: number): Promise<Outcome> =>
  new Promise((resolve) => {
    const startedAt = performance.now();
    const args = [name, String(seed), String(inputs)];
    const child = fork(path.join(root, 'tests/fuzz/child.ts'), args, { execArgv: ['--expose-gc'] });
    let done = 0;
    const lost = (failure: string): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      resolve({ inputs: done, seconds: (performance.now() - startedAt) / 1000, growth: { rssPerInput: 0 }, failure });
    };
    const timer = setTimeout(() => lost(`nothing was heard for ${silenceMs / 1000} s after input ${done}`), silenceMs);
    child.on('message', (message) => {
      const told = messageSchema.parse(message);
      timer.refresh();
      if ('done' in told) done = told.done;
      else {
        clearTimeout(timer);
        resolve(told.outcome);
      }
    });
    child.on('exit', (code, signal) => lost(`its process ended (${signal ?? code}) after input ${done}`));
  });

const slopeOf = (rssPerInput: number): string => `${((rssPerInput * 1000) / 1024).toFixed(1)} KiB/1000`;

const reported = (name: string, seed: number, { inputs, seconds, growth, failure }: Outcome): string =>
  [
    name.padEnd(13),
    String(inputs).padStart(8),
    `${seconds.toFixed(1)} s`.padStart(9),
    `seed ${seed}`,
    slopeOf(growth.rssPerInput).padStart(19),
    failure === null ? 'ok' : 'FAILED',
  ].join('  ');

const chosen = (names: readonly string[]): readonly Target[] => {
  const unknown = names.find((name) => !targets.some((one) => one.name === name));
  if (unknown !== undefined) {
    throw new SetupError(`There is no target ${unknown}; there are ${targets.map(({ name }) => name).join(', ')}.`);
  }
  return names.length === 0 ? targets : targets.filter(({ name }) => names.includes(name));
};

await runScript(async () => {
  const options = { seed: { type: 'string' }, inputs: { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const seed = wholeNumber(values.seed, 'seed') ?? 1;
  const asked = wholeNumber(values.inputs, 'inputs');
  const outcomes: Outcome[] = [];
  say('target          inputs       time  seed      resident growth  result');
  for (const { name, inputs } of chosen(positionals)) {
    const outcome = await runTarget(name, seed, asked ?? inputs);
    outcomes.push(outcome);
    say(reported(name, seed, outcome));
    if (outcome.failure !== null) say(outcome.failure);
  }
  const sum = (of: 'inputs' | 'seconds'): number => outcomes.reduce((total, outcome) => total + outcome[of], 0);
  const failed = outcomes.filter(({ failure }) => failure !== null).length;
  say(`total: ${sum('inputs')} inputs, ${sum('seconds').toFixed(1)} s, ${failed} failed`);
  return failed === 0 ? 0 : 1;
});

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from '../scripts/setup/checkout.ts';
import { openAppStarter } from './appProcess.ts';
import type { Running } from './process.ts';
import { type ProcessFacts, processTree } from './processTree.ts';

/** Long enough for what a start leaves behind: caches, the sandbox that is made ready, the first collection. */
const settleMs = 20_000;
const watchedMs = 60_000;

/** A process of Electron in which code of ours runs: the embedded sandbox that stands ready. */
const isSandbox = ({ command }: ProcessFacts): boolean => command.includes('node.mojom.NodeService');

const megabytes = (facts: readonly ProcessFacts[]): number =>
  facts.reduce((sum, { pssBytes }) => sum + pssBytes, 0) / (1024 * 1024);
const cpuMs = (facts: readonly ProcessFacts[]): number => facts.reduce((sum, fact) => sum + fact.cpuMs, 0);

type Idle = Readonly<{ memory: number; sandbox: number; cpu: number; processes: number }>;

async function idleOf(app: Running): Promise<Idle> {
  const pid = app.child.pid ?? 0;
  await delay(settleMs);
  const before = cpuMs(processTree(pid));
  await delay(watchedMs);
  const tree = processTree(pid);
  const apart = tree.filter(isSandbox);
  const own = tree.filter((fact) => !isSandbox(fact));
  return { memory: megabytes(own), sandbox: megabytes(apart), cpu: cpuMs(tree) - before, processes: own.length };
}

/**
 * The app with an open vault and nothing to do, in the background as after a login, beside an empty Electron app
 * with one window, both at the same time: memory (proportional share) and CPU time of all their processes in a minute.
 */
export async function benchIdle(): Promise<readonly string[]> {
  const apps = await openAppStarter();
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-bench-'));
  const passphrase = join(folder, 'passphrase');
  writeFileSync(passphrase, randomBytes(24).toString('base64url'), { mode: 0o600 });
  try {
    const env = { OAUTH3_PASSPHRASE_FILE: passphrase, OAUTH3_DATA_DIR: join(folder, 'data') };
    const first = await apps.ours(env);
    // An app that has an agent needs nothing from its owner: it starts in the background.
    execFileSync(process.execPath, [join(root, 'cli/index.ts'), 'agent', 'add', 'bench'], {
      env: { ...process.env, ...env },
      stdio: 'ignore',
    });
    await first.stop();
    const running = [await apps.ours(env), await apps.empty()] as const;
    const [ours, empty] = await Promise.all([idleOf(running[0]), idleOf(running[1])]);
    for (const app of running) await app.stop();
    const ratio = ours.memory / empty.memory;
    const line = (name: string, { memory, cpu, processes }: Idle): string =>
      `  ${name.padEnd(10)} ${memory.toFixed(0)} MB in ${processes} processes, ${cpu.toFixed(0)} ms of CPU in a minute`;
    return [
      'idle',
      line('ours', ours),
      line('empty app', empty),
      `  ratio of memory ${ratio.toFixed(2)}   aim <= 1.4: ${ratio <= 1.4 ? 'met' : 'NOT met'}`,
      `  the sandbox that stands ready, apart: ${ours.sandbox.toFixed(0)} MB`,
    ];
  } finally {
    await apps.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

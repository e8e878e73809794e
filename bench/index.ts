import type { UsableEngine } from '../scripts/setup/containerEngine.ts';
import { ensureContainerEngine } from '../scripts/setup/containerEngine.ts';
import { benchAudit } from './audit.ts';
import { benchDownload } from './download.ts';
import { benchGateway } from './gateway.ts';
import { benchIdle } from './idle.ts';
import { benchPending } from './pending.ts';
import { type Race, reportRace } from './race.ts';
import { benchRate } from './rate.ts';
import { benchReady } from './ready.ts';
import { benchRedaction, redactionBuilds } from './redaction.ts';
import { benchRequests } from './request.ts';
import { benchTrusted } from './trusted.ts';
import { benchWarmRuns } from './warmRun.ts';

/** Asked for once, by the first bench that needs it. */
let engine: Promise<UsableEngine | null> | null = null;

/** A bench with containers; without an engine a line says so, and there is no figure. */
const inContainers =
  (bench: (engine: UsableEngine) => Promise<readonly Race[]>, plus = false) =>
  async (name: string): Promise<void> => {
    engine ??= ensureContainerEngine();
    const found = await engine;
    if (found === null) process.stdout.write(`${name}\n  skipped: no container engine here\n`);
    else for (const race of await bench(found)) reportRace(race, plus);
  };

const gvisor = async (name: string): Promise<void> => {
  engine ??= ensureContainerEngine();
  if ((await engine)?.gvisor === false) process.stdout.write(`${name}\n  skipped: the engine runs no gVisor\n`);
  else await warmInGvisor(name);
};
const warmInGvisor = inContainers((found) =>
  benchWarmRuns(found, { isolation: 'gvisor', engineRuntime: 'runsc', rounds: 10, aim: 0.5, startMs: 1500 }),
);

/** `npm run bench [-- name …]`: ratios against a baseline measured in the same run, in alternating rounds. */
const benches: Readonly<Record<string, (name: string) => Promise<void>>> = {
  pending: async () => reportRace(await benchPending(6)),
  trusted: async () => reportRace(await benchTrusted(6)),
  redaction: async () => {
    for (const line of await redactionBuilds(5)) process.stdout.write(`${line}\n`);
    for (const found of await benchRedaction(20)) reportRace(found);
  },
  audit: async () => {
    for (const found of await benchAudit(10)) reportRace(found);
  },
  ready: async () => reportRace(await benchReady(6)),
  idle: async () => {
    for (const line of await benchIdle()) process.stdout.write(`${line}\n`);
  },
  container: inContainers((found) =>
    benchWarmRuns(found, { isolation: 'container', engineRuntime: 'runc', rounds: 20, aim: 0.2, startMs: 500 }),
  ),
  gvisor,
  rate: inContainers((found) => benchRate(found, 3)),
  request: inContainers((found) => benchRequests(found, 6), true),
  gateway: async () => {
    for (const race of await benchGateway(6)) reportRace(race, true);
  },
  download: inContainers((found) => benchDownload(found, 5)),
};
const asked = Object.keys(benches).filter((name) => process.argv.slice(2).includes(name));
for (const name of asked.length > 0 ? asked : Object.keys(benches)) await benches[name]?.(name);

import { isRoot, SetupError, say } from './checkout.ts';
import { which } from './command.ts';
import { controlGroupsMissing, mountControlGroups } from './controlGroups.ts';
import { registerGvisor } from './engineGvisor.ts';
import { problemWithRuntime } from './engineProbe.ts';
import { type EnginePlace, engineProcess, startEngine, untilEngine, usualPlace } from './engineProcess.ts';
import { type EngineSocket, engineAt } from './engineSocket.ts';
import { exclusively } from './exclusive.ts';
import { ensureEnginePackages, ensureGvisorPackage } from './systemPackages.ts';

/** An engine that has run a container for us; `gvisor`: also one under the runtime `runsc`. */
export type UsableEngine = EngineSocket & Readonly<{ gvisor: boolean }>;

type Found = Readonly<{ engine: EngineSocket }> | Readonly<{ reason: string }>;

const mayInstall = async (): Promise<boolean> =>
  process.platform === 'linux' && isRoot && (await which('apt-get')) !== undefined;

/** What a step that may fail on this machine has to say; undefined when it went well. */
const problemOf = async (step: Promise<void>): Promise<string | undefined> => {
  try {
    return void (await step);
  } catch (error) {
    if (error instanceof SetupError) return error.message;
    throw error;
  }
};

const installAndStart = async (place: EnginePlace): Promise<Found> => {
  const problem = await problemOf(ensureEnginePackages(await controlGroupsMissing()));
  if (problem) return { reason: problem };
  await problemOf(ensureGvisorPackage());
  // Where there is an init system, the package has started its engine already, and it may be on its way.
  const onItsWay = (await engineProcess(place)) && (await untilEngine(place.url));
  if (onItsWay) return { engine: onItsWay };
  await mountControlGroups();
  say('Starting a container engine ...');
  const started = await startEngine(place);
  if (!('engine' in started)) return { reason: `dockerd cannot run here: ${started.reason}.` };
  const useless = await problemWithRuntime(started.engine);
  if (useless === undefined) return started;
  await started.stop();
  return { reason: `dockerd cannot run containers here: ${useless}.` };
};

/** The engine at `url` as it is, with nothing installed or changed; undefined when none there can run a container. */
export const examineEngine = async (url: string): Promise<UsableEngine | undefined> => {
  const engine = await engineAt(url);
  if (!engine || (await problemWithRuntime(engine))) return undefined;
  return { ...engine, gvisor: (await problemWithRuntime(engine, 'runsc')) === undefined };
};

const withGvisor = async (place: EnginePlace, engine: EngineSocket): Promise<UsableEngine> => {
  const problem = await problemWithRuntime(engine, 'runsc');
  if (problem === undefined) return { ...engine, gvisor: true };
  const without = (reason: string): UsableEngine => {
    say(`The container engine runs no gVisor: ${reason}.`);
    return { ...engine, gvisor: false };
  };
  const isRegistered = (engine.runtimes.runsc ?? []).length > 0;
  if (isRegistered || engine.url !== place.url || !(await mayInstall())) return without(problem);
  const missing = await problemOf(ensureGvisorPackage());
  if (missing) return without(missing);
  const registered = await registerGvisor(place);
  if (typeof registered === 'string') return without(`${problem}, and ${registered}`);
  const still = await problemWithRuntime(registered, 'runsc');
  return still === undefined ? { ...registered, gvisor: true } : without(still);
};

const find = async (place: EnginePlace): Promise<Found> => {
  const engine = (await engineAt(process.env.DOCKER_HOST ?? '')) ?? (await engineAt(place.url));
  if (engine) {
    const problem = await problemWithRuntime(engine);
    return problem === undefined
      ? { engine }
      : { reason: `the one at ${engine.url} cannot run containers: ${problem}.` };
  }
  if (await mayInstall()) return installAndStart(place);
  return { reason: 'none answers; start one, or run this as root on a machine with apt.' };
};

/**
 * The container engine of this machine: the one that DOCKER_HOST names, or the one at the usual socket; installed and
 * started first where neither answers and we may (Linux, root, apt). null, with one line that says why, where none can
 * run a container. An engine on another machine is never used: tests would leave their containers there.
 */
export const ensureContainerEngine = (place: EnginePlace = usualPlace): Promise<UsableEngine | null> =>
  exclusively(`engine ${place.url}`, async () => {
    const found = await find(place);
    if ('engine' in found) return withGvisor(place, found.engine);
    say(`No container engine: ${found.reason}`);
    return null;
  });

import { totalmem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedBackend } from './backends/embedded/backend.ts';
import type { BrokerOptions } from './broker.ts';
import { EgressGateway } from './egress/gateway.ts';
import type { Books } from './houseBooks.ts';
import { openContainers } from './houseContainers.ts';
import type { Upstream } from './net/upstream.ts';
import type { RequestWaits } from './requests/requestWaits.ts';
import type { Backend } from './runs/backend.ts';
import { Sandboxes } from './runs/sandboxes.ts';
import { Scheduler } from './runs/scheduler.ts';
import { SecretRedactor } from './runs/secretRedactor.ts';
import type { StopList } from './stopList.ts';

const mib = 1024 * 1024;
const leastBudgetMb = 1024;
/** Longer than the scheduler itself waits for its runs to end. */
const stopRunsMs = 15_000;

/** Long enough for a local engine to say that it is there. */
const firstLookMs = 3_000;

/** The sandboxes, on their way up, and which of them is the default; `settled` once each is ready or known not to be. */
export async function openSandboxes(books: Books, options: BrokerOptions, stops: StopList) {
  const { settings, log, clock } = books;
  const poolSize = settings.get('pool.size');
  const embedded = new EmbeddedBackend({ launcher: options.ports.sandboxLauncher, poolSize, log, clock });
  stops.add('embedded sandbox', () => embedded.stop());
  const containers = await openContainers(options, books, stops);
  const backends: readonly Backend[] = [embedded, ...containers.backends];
  const sandboxes = new Sandboxes(backends, containers.absent);
  // Not waited for: who needs a process before the first is ready gets it a moment later.
  const warmed = embedded.start();
  const engineKnown = containers.start();
  // Chosen once: the default must not change by itself when an engine comes or goes.
  if (settings.get('runtime.default') === null) {
    await Promise.race([engineKnown, delay(firstLookMs, undefined, { ref: false })]);
    settings.set('runtime.default', sandboxes.firstRuntime(), 'broker');
  }
  const defaultRuntime = () => settings.get('runtime.default') ?? sandboxes.firstRuntime();
  const settled = Promise.all([warmed, engineKnown]).then(() => {
    // What most requests will need is made before the first of them comes.
    sandboxes.want(defaultRuntime(), settings.get('isolation.minimum'));
  });
  const resizePool = () => {
    for (const backend of backends) backend.resizePool(settings.get('pool.size'));
  };
  return {
    backends,
    sandboxes,
    defaultRuntime,
    settled,
    resizePool,
    engineWarnings: containers.warnings,
    engineMemory: containers.memTotal,
  };
}

/** The scheduler with everything that a run needs. What a crash left unfinished has ended when it returns. */
export function openRuns(
  books: Books,
  sandbox: Awaited<ReturnType<typeof openSandboxes>>,
  parts: Readonly<{ upstream: Upstream; waits: RequestWaits; ownPorts: () => readonly number[] }>,
  stops: StopList,
): Scheduler {
  const { records, vault, settings, pause, localServices, events, notices, clock, random, log } = books;
  const secretValue = (secretId: string) => {
    const encrypted = records.encryptedSecret(secretId);
    return encrypted === null ? null : { version: encrypted.version, value: vault.decrypt(encrypted) };
  };
  const redactor = new SecretRedactor({ secrets: () => records.secrets(), value: secretValue });
  stops.add(
    'redactor',
    vault.onChange(() => redactor.forget()),
  );
  const gateway = new EgressGateway({
    upstream: parts.upstream,
    localServices: () => localServices.current(),
    ownPorts: parts.ownPorts,
    log,
    clock,
  });
  const scheduler = new Scheduler({
    records,
    backends: sandbox.backends,
    openEgress: (spec) => gateway.open(spec),
    vault: { isUnlocked: () => vault.state() === 'unlocked', value: secretValue },
    redactor: () => redactor.current(),
    events,
    hasWaiter: (requestId) => parts.waits.isAwaited(requestId),
    notice: notices.tell,
    isPaused: () => pause.isPaused(),
    concurrentRuns: () => settings.get('limits.concurrent_runs'),
    concurrentRunsPerAgent: () => settings.get('limits.concurrent_runs_per_agent'),
    memoryBudgetMb: () => memoryBudgetMb(sandbox.engineMemory()),
    clock,
    random,
    log,
  });
  scheduler.recover();
  stops.add('runs', () => scheduler.stop(), stopRunsMs);
  return scheduler;
}

/** Half of the memory that runs can have: of this machine, or of the engine's where that has less. */
function memoryBudgetMb(engineMemory: number | null): number {
  const bytes = Math.min(totalmem(), engineMemory ?? Number.POSITIVE_INFINITY);
  return Math.max(leastBudgetMb, Math.floor(bytes / mib / 2));
}

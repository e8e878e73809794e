import { totalmem } from 'node:os';
import { EmbeddedBackend } from './backends/embedded/backend.ts';
import type { BrokerPorts } from './broker.ts';
import { EgressGateway } from './egress/gateway.ts';
import type { Books } from './houseBooks.ts';
import type { Upstream } from './net/upstream.ts';
import type { RequestWaits } from './requests/requestWaits.ts';
import { Sandboxes } from './runs/sandboxes.ts';
import { Scheduler } from './runs/scheduler.ts';
import { SecretRedactor } from './runs/secretRedactor.ts';
import type { StopList } from './stopList.ts';

const mib = 1024 * 1024;
const leastBudgetMb = 1024;
/** Longer than the scheduler itself waits for its runs to end. */
const stopRunsMs = 15_000;

/** The sandboxes, on their way up, and which of them is the default; `settled` once each is ready or known not to be. */
export function openSandboxes({ settings, log, clock }: Books, ports: BrokerPorts, stops: StopList) {
  const poolSize = settings.get('pool.size');
  const embedded = new EmbeddedBackend({ launcher: ports.sandboxLauncher, poolSize, log, clock });
  stops.add('embedded sandbox', () => embedded.stop());
  // Not waited for: who needs a process before the first is ready gets it a moment later.
  const settled = embedded.start();
  const sandboxes = new Sandboxes([embedded]);
  // Chosen once: the default must not change by itself when an engine comes or goes.
  if (settings.get('runtime.default') === null) settings.set('runtime.default', sandboxes.firstRuntime(), 'broker');
  const defaultRuntime = () => settings.get('runtime.default') ?? sandboxes.firstRuntime();
  const resizePool = () => embedded.resizePool(settings.get('pool.size'));
  return {
    backends: [embedded],
    sandboxes,
    defaultRuntime,
    settled,
    resizePool,
    engineWarnings: (): readonly string[] => [],
  };
}

/** The scheduler with everything that a run needs. What a crash left unfinished has ended when it returns. */
export function openRuns(
  books: Books,
  sandbox: ReturnType<typeof openSandboxes>,
  parts: Readonly<{ upstream: Upstream; waits: RequestWaits }>,
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
    memoryBudgetMb: () => Math.max(leastBudgetMb, Math.floor(totalmem() / mib / 2)),
    clock,
    random,
    log,
  });
  scheduler.recover();
  stops.add('runs', () => scheduler.stop(), stopRunsMs);
  return scheduler;
}

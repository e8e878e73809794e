import type { OwnerActions } from '../contract/owner.ts';
import { isFinal } from '../contract/states.ts';
import { createBridge } from './bridge/bridge.ts';
import type { BrokerOptions } from './broker.ts';
import { ControlServer } from './control/server.ts';
import type { Records } from './core/records.ts';
import type { TrayFacts } from './desktop/trayModel.ts';
import { openBooks } from './houseBooks.ts';
import { makeTelegramRoom, openDesktopChannels } from './houseChannels.ts';
import { openRequests } from './houseRequests.ts';
import { openRuns, openSandboxes } from './houseRuns.ts';
import { Upstream } from './net/upstream.ts';
import { createOwner } from './owner/owner.ts';
import { startRetention } from './owner/retention.ts';
import { endSample } from './owner/sample.ts';
import { AgentAuth } from './requests/agentAuth.ts';
import { RequestWaits } from './requests/requestWaits.ts';
import { Warmth } from './runs/warmth.ts';
import { readPassphrase, readTrust } from './startFiles.ts';
import { healthView, type StatusParts, startLines, statusFacts } from './statusFacts.ts';
import type { StopList } from './stopList.ts';
import { WakeWorker } from './wake/worker.ts';

export type House = Awaited<ReturnType<typeof openHouse>>;

/** Opens room after room and notes for each how it is closed: store, vault, sandboxes, runs, desk, channels, doors. */
export async function openHouse(options: BrokerOptions, stops: StopList) {
  const { config, dataDir, ports } = options;
  const passphrase = readPassphrase(config);
  const upstream = new Upstream(readTrust(config));

  const books = openBooks(options, stops);
  const { records, vault, settings, pause, localServices, events, facts, notices, clock, random, log } = books;
  const sandbox = await openSandboxes(books, options, stops);
  await vault.open(passphrase);
  const warmth = new Warmth(sandbox.backends, () => vault.state() === 'unlocked' && !pause.isPaused());
  warmth.look();
  stops.add(
    'warmth',
    facts.onChange(() => warmth.look()),
  );
  const waits = new RequestWaits(events);
  stops.add('waits', () => waits.close());
  let url = '';
  const ownPorts = (): readonly number[] => (url === '' ? [] : [Number(new URL(url).port)]);
  const scheduler = openRuns(books, sandbox, { upstream, waits, ownPorts }, stops);
  const requests = openRequests(books, sandbox, { upstream, waits, scheduler }, stops);
  const { desk, refresh, expiry } = requests;
  const wake = openWake(options, books, stops);

  const telegram = makeTelegramRoom(config, books, { desk, owner: () => owner, refresh }, stops);
  const status: StatusParts = {
    version: ports.version,
    url: () => url,
    dataDir,
    records,
    vault,
    sandboxes: sandbox.sandboxes,
    sandboxesSettled: sandbox.settled,
    defaultRuntime: sandbox.defaultRuntime,
    minimumIsolation: () => settings.get('isolation.minimum'),
    engineWarnings: sandbox.engineWarnings,
    telegram: () => telegram.facts,
  };
  const owner: OwnerActions = createOwner(
    {
      records,
      vault: {
        state: () => vault.state(),
        slots: () => vault.slots(),
        encrypt: ({ id, name, version }, value) => vault.encrypt(id, name, version, value),
        unlock: async (text) => void (await vault.unlock(text)),
        setPassphrase: (text) => vault.setPassphrase(text),
        lock: () => vault.lock(),
      },
      runs: scheduler,
      events,
      clock,
      random,
      refreshForSecret: (name) => refresh.refreshForSecret(name),
      notice: notices.tell,
      limitsChanged: () => {
        sandbox.resizePool();
        scheduler.pump();
        facts.emit();
      },
      statusFacts: () => statusFacts(status),
      prepareSandboxes: (...wanted) => sandbox.sandboxes.prepare(...wanted),
      wakeTest: () => wake.test(),
      telegram: () => telegram,
      ask: async (agent, body) => (await requests.intake.execute(agent, body, neverAborted)).body.request_id,
      environmentServices: config.localServices,
    },
    { settings, localServices, pause },
  );

  stops.add('sample', events.onChanged(endSample(owner, records)));

  // What changed while we were off is seen before anything is shown or can be decided.
  expiry.start();
  refresh.refreshAll();
  await telegram.start();
  openDesktopChannels(ports, books, { desk }, stops);
  const followed = { changed: facts.emit, replaced: () => refresh.refreshAll() };
  stops.add('sandbox changes', sandbox.sandboxes.onChange(followed));
  desk.start();
  wake.start();
  stops.add('retention', startRetention({ records, settings, clock, log }));

  const bridge = createBridge({
    intake: requests.intake,
    status: requests.status,
    pairing: requests.pairing,
    health: (detailed) => healthView(status, detailed),
    auth: new AgentAuth(records, clock),
    config,
    clock,
    log,
  });
  stops.add('bridge', () => bridge.close());
  url = (await bridge.listen()).url;
  const control = new ControlServer({ dataDir, owner, log });
  stops.add('control', () => control.stop());
  await control.start();

  const trayFacts = (): TrayFacts => ({
    waiting: records.pendingRequests().length + records.pendingPairings().length,
    running: scheduler.counts().running,
    paused: pause.isPaused(),
    vault: vault.state(),
    preparing: sandbox.sandboxes.list().find(({ state }) => state === 'busy')?.detail ?? null,
    recent: recentRuns(records),
  });
  return {
    url,
    owner,
    desk,
    events,
    vault,
    refresh,
    expiry,
    facts,
    warmth,
    trayFacts,
    startLines: () => startLines(status),
  };
}

const neverAborted = new AbortController().signal;
const shownRuns = 5;
/** How far back runs are looked for: an agent that is denied all day must not make each look longer. */
const lookedAt = 50;

function recentRuns(records: Pick<Records, 'requests'>): TrayFacts['recent'] {
  return records
    .requests({ limit: lookedAt })
    .filter(({ startedAt }) => startedAt !== null)
    .slice(0, shownRuns)
    .map(({ id, skillId, status }) => ({ requestId: id, skillId, status }));
}

function openWake({ config }: BrokerOptions, books: ReturnType<typeof openBooks>, stops: StopList): WakeWorker {
  const { records, clock, log, events } = books;
  const wake = new WakeWorker({ records, clock, log, hook: config.openclawHook });
  const kick = events.onChanged((request) => {
    if (isFinal(request.status)) wake.kick();
  });
  stops.add('wake', async () => {
    kick();
    await wake.stop();
  });
  return wake;
}

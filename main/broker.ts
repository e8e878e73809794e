import { randomBytes } from 'node:crypto';
import { totalmem } from 'node:os';
import type { OwnerActions } from '../contract/owner.ts';
import type { Settings } from '../contract/settings.ts';
import { isFinal, type Principal, type Subject, type VaultState } from '../contract/states.ts';
import type { Channel, Desk } from './approvals/channel.ts';
import { ApprovalDesk } from './approvals/desk.ts';
import { EmbeddedBackend } from './backends/embedded/backend.ts';
import type { ChildLauncher } from './backends/embedded/childLauncher.ts';
import { createBridge } from './bridge/bridge.ts';
import { ControlServer } from './control/server.ts';
import type { Clock } from './core/clock.ts';
import type { Config } from './core/config.ts';
import type { Log } from './core/log.ts';
import type { RequestEvents } from './core/runPorts.ts';
import { ChangeSignal } from './core/signal.ts';
import { systemClock } from './core/systemClock.ts';
import { EgressGateway } from './egress/gateway.ts';
import { fetchText } from './net/fetchText.ts';
import type { LocalServices } from './net/localServices.ts';
import { Upstream } from './net/upstream.ts';
import { Notices } from './notices.ts';
import { NotificationChannel } from './notify/channel.ts';
import type { Notifier } from './notify/notifier.ts';
import { LocalServiceBook } from './owner/localServices.ts';
import { createOwner } from './owner/owner.ts';
import { PauseSwitch } from './owner/panic.ts';
import { startRetention } from './owner/retention.ts';
import { SettingsBook } from './owner/settings.ts';
import { AgentAuth } from './requests/agentAuth.ts';
import { ClockGuard } from './requests/clockGuard.ts';
import { followRequests } from './requests/deskFollower.ts';
import { RequestExpiry } from './requests/expiry.ts';
import { Intake } from './requests/intake.ts';
import { Pairing } from './requests/pairing.ts';
import type { DeskPort, SandboxPort } from './requests/ports.ts';
import { RequestAnnouncer } from './requests/requestEvents.ts';
import { RequestWaits } from './requests/requestWaits.ts';
import { RunCards } from './requests/runCards.ts';
import { RunRefresh } from './requests/runRefresh.ts';
import { RunSubject } from './requests/runSubject.ts';
import { RequestStatus } from './requests/status.ts';
import { Sandboxes } from './runs/sandboxes.ts';
import { Scheduler } from './runs/scheduler.ts';
import { SecretRedactor } from './runs/secretRedactor.ts';
import { readPassphrase, readTrust } from './startFiles.ts';
import { healthView, type StatusParts, statusFacts } from './statusFacts.ts';
import { StopList } from './stopList.ts';
import { openStore } from './store/store.ts';
import { Telegram } from './telegram/telegram.ts';
import type { KeyProtector } from './vault/keyProtector.ts';
import { Vault } from './vault/vault.ts';
import { WakeWorker } from './wake/worker.ts';

/** What differs between the app, plain Node and tests. */
export type BrokerPorts = Readonly<{
  version: string;
  log: Log;
  clock?: Clock;
  random?: (bytes: number) => Uint8Array;
  /** Keyrings, in order of preference; none in plain Node. */
  keyProtectors: readonly KeyProtector[];
  /** Makes the passphrase protector of the vault; tests take one that costs less. */
  passphraseProtector?: (passphrase: string) => KeyProtector;
  sandboxLauncher: ChildLauncher;
  /** The desktop's notification service; null where there is none. */
  notifier?: Notifier | null;
  /** Brings a card in front of the owner, when a notification is clicked. */
  openCard?: (subject: Subject, id: string) => void;
  /** Channels that are there from the start; more come with `desk.addChannel`. */
  extraChannels?: readonly Channel[];
}>;

export type BrokerOptions = Readonly<{
  config: Config<LocalServices>;
  /** Absolute. */
  dataDir: string;
  nativeBinding?: string | undefined;
  ports: BrokerPorts;
}>;

type House = Awaited<ReturnType<typeof openHouse>>;

/** The whole broker. Everything but `start` and `stop` is there once `start` has resolved. */
export type Broker = Readonly<{
  /** Resolves when the bridge answers. Rejects with an error whose message tells what to do; then nothing is left open. */
  start(): Promise<Readonly<{ url: string }>>;
  /** Ends everything in order, within bounds; never rejects. */
  stop(): Promise<void>;
  owner: OwnerActions;
  desk: Desk & Readonly<{ addChannel(channel: Channel): void }>;
  confirmBinding(requestId: string, secretName: string, hosts: readonly string[], principal: Principal): void;
  events: RequestEvents;
  vault: Readonly<{ state(): VaultState }>;
  trayFacts(): Readonly<{ waiting: number; running: number; paused: boolean; vault: VaultState }>;
  onFactsChanged(listener: () => void): () => void;
  /** The machine was asleep: deadlines are looked at now. */
  resumedFromSleep(): void;
  /** Something only the owner can give is missing, so the window should open. */
  needsOwner(): boolean;
}>;

export function createBroker(options: BrokerOptions): Broker {
  const stops = new StopList(options.ports.log);
  let house: House | null = null;
  const opened = (): House => {
    if (house === null) throw new Error('The broker is not started');
    return house;
  };
  return {
    async start() {
      try {
        house = await openHouse(options, stops);
        return { url: house.url };
      } catch (error) {
        await stops.run();
        throw error;
      }
    },
    stop: () => stops.run(),
    get owner() {
      return opened().owner;
    },
    get desk() {
      return opened().desk;
    },
    get events() {
      return opened().events;
    },
    get vault() {
      return opened().vault;
    },
    confirmBinding: (...binding) => opened().refresh.confirmBinding(...binding),
    trayFacts: () => opened().trayFacts(),
    onFactsChanged: (listener) => opened().facts.onChange(listener),
    resumedFromSleep: () => opened().expiry.sweep(),
    needsOwner: () => opened().vault.state() !== 'unlocked',
  };
}

/** What carries an embedded run: the engine and its version, as the manifest names it. */
export const embeddedCarrier = { image: 'quickjs-wasmfile-release-sync@0.32.0', runner: '', seccomp: '' } as const;

const environmentRuntimes = { embedded: 'quickjs', docker: 'deno' } as const;

/** Opens room after room, and notes for each how it is closed. */
async function openHouse({ config, dataDir, nativeBinding, ports }: BrokerOptions, stops: StopList) {
  const { log } = ports;
  const clock = ports.clock ?? systemClock;
  const random = ports.random ?? randomBytes;
  const passphrase = readPassphrase(config);
  const upstream = new Upstream(readTrust(config));

  const records = openStore({ dataDir, nativeBinding, log, clock });
  stops.add('store', () => records.close());
  const clockGuard = new ClockGuard(records, clock);
  stops.add('clock', () => clockGuard.save(true));
  const events = new RequestAnnouncer(log);
  const facts = new ChangeSignal();
  const notices = new Notices(log);
  const environmentSettings: Partial<Settings> =
    config.sandbox === null ? {} : { 'runtime.default': environmentRuntimes[config.sandbox] };
  const settings = new SettingsBook(records, clock, environmentSettings);
  const pause = new PauseSwitch({ records, clock, changed: facts.emit });
  const localServices = new LocalServiceBook({ records, clock, environmentServices: config.localServices });

  const vault = new Vault({
    slots: records,
    protectors: ports.keyProtectors,
    log,
    ...(ports.passphraseProtector === undefined ? {} : { passphrase: ports.passphraseProtector }),
  });
  const secretValue = (secretId: string) => {
    const encrypted = records.encryptedSecret(secretId);
    return encrypted === null ? null : { version: encrypted.version, value: vault.decrypt(encrypted) };
  };
  const redactor = new SecretRedactor({ secrets: () => records.secrets(), value: secretValue });
  vault.onChange((state) => {
    records.setMacKey(state === 'unlocked' ? vault.deriveKey('seal') : null);
    redactor.forget();
    facts.emit();
  });
  stops.add('vault', () => vault.lock());
  await vault.open(passphrase);

  const embedded = new EmbeddedBackend({
    launcher: ports.sandboxLauncher,
    poolSize: settings.get('pool.size'),
    log,
    clock,
  });
  stops.add('embedded sandbox', () => embedded.stop());
  await embedded.start();
  const sandboxes = new Sandboxes([{ backend: embedded, carrier: embeddedCarrier }]);
  if (settings.get('runtime.default') === null) settings.set('runtime.default', sandboxes.firstRuntime(), 'broker');
  const defaultRuntime = () => settings.get('runtime.default') ?? sandboxes.firstRuntime();
  const sandbox: SandboxPort = {
    defaultRuntime,
    pick: (runtime, minimum) => sandboxes.pick(runtime, minimum),
  };

  const gateway = new EgressGateway({ upstream, localServices: () => localServices.current(), log, clock });
  const waits = new RequestWaits(events);
  stops.add('waits', () => waits.close());
  const scheduler = new Scheduler({
    records,
    backends: [embedded],
    openEgress: (spec) => gateway.open(spec),
    vault: { isUnlocked: () => vault.state() === 'unlocked', value: secretValue },
    redactor: () => redactor.current(),
    events,
    hasWaiter: (requestId) => waits.isAwaited(requestId),
    notice: notices.tell,
    isPaused: () => pause.isPaused(),
    concurrentRuns: () => settings.get('limits.concurrent_runs'),
    memoryBudgetMb: Math.max(1024, Math.floor(totalmem() / 1024 / 1024 / 2)),
    clock,
    random,
    log,
  });
  scheduler.recover();
  stops.add('runs', () => scheduler.stop(), 15_000);

  const localNames = () => localServices.names();
  // Desk, subjects and refresh know each other; the desk is reached through this.
  const toDesk: DeskPort = {
    open: (subject, id) => desk.open(subject, id),
    refresh: (subject, id) => desk.refresh(subject, id),
    ended: (subject, id, outcome) => desk.ended(subject, id, outcome),
  };
  const pairing = new Pairing({ records, settings, clock, random, desk: toDesk });
  stops.add('pairing', () => pairing.close());
  const expiry = new RequestExpiry({
    records,
    events,
    clock,
    clockGuard,
    alsoExpire: (nowMs) => pairing.sweep(nowMs),
    log,
  });
  const refresh = new RunRefresh({ records, sandbox, desk: toDesk, clock });
  const cards = new RunCards({ records, localNames });
  const runs = new RunSubject({
    records,
    cards,
    refresh,
    expiry,
    clockGuard,
    launcher: scheduler,
    events,
    sandbox,
    vault,
    pause,
    random,
  });
  const desk = new ApprovalDesk({
    handlers: [runs, pairing],
    records,
    clock,
    audit: (event) => records.appendAudit(event, clock.wallMs()),
    log,
  });
  stops.add('cards', followRequests(events, toDesk));
  stops.add('facts', events.onChanged(facts.emit));

  const { openclawHook: hook } = config;
  const wake = new WakeWorker({
    records,
    clock,
    log,
    hook: hook === null ? null : { url: hook.url, token: hook.token ?? '' },
  });
  stops.add('wake', () => wake.stop());
  stops.add(
    'wake on final states',
    events.onChanged((request) => {
      if (isFinal(request.status)) wake.kick();
    }),
  );

  let url = '';
  let telegram: Telegram | null = null;
  const status: StatusParts = {
    version: ports.version,
    url: () => url,
    dataDir,
    records,
    vault,
    sandboxes,
    defaultRuntime,
    telegram: () => telegram,
  };
  const owner = createOwner(
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
      resumed: () => scheduler.pump(),
      statusFacts: () => statusFacts(status),
      wakeTest: () => wake.test(),
      environmentServices: config.localServices,
    },
    { settings, localServices, pause },
  );
  const { botToken, chatIds, apiRoot } = config.telegram;
  if (botToken !== null) {
    const bot = new Telegram(
      { token: botToken, chatIds, ...(apiRoot === null ? {} : { apiRoot }) },
      {
        desk,
        owner,
        confirmBinding: (...binding) => refresh.confirmBinding(...binding),
        records,
        clock,
        random,
        log,
      },
    );
    telegram = bot;
    desk.addChannel(bot.channel);
    notices.addPlace((text) => bot.notice(text));
    bot.start();
    stops.add('telegram', () => bot.stop());
  }
  const { notifier } = ports;
  if (notifier != null) {
    const notifications = new NotificationChannel({
      notifier,
      desk,
      openCard: (subject, id) => ports.openCard?.(subject, id),
      runOnce: () => settings.get('notify.run_once'),
      random,
      log,
    });
    desk.addChannel(notifications);
    notices.addPlace((text) => notifications.notice(text));
    stops.add('notifications', () => notifier.dispose());
  }
  for (const channel of ports.extraChannels ?? []) desk.addChannel(channel);
  // What changed while we were off is seen before anything is shown or decided.
  expiry.start();
  stops.add('expiry', () => expiry.stop());
  refresh.refreshAll();
  desk.start();
  wake.start();
  stops.add('retention', startRetention({ records, settings, clock, log }));

  const intake = new Intake({
    records,
    clock,
    clockGuard,
    random,
    settings,
    vault,
    pause,
    sandbox,
    localNames,
    fetchSource: async (source) => (await fetchText(source, { upstream })).bytes,
    desk: toDesk,
    launcher: scheduler,
    events,
    waits,
  });
  const bridge = createBridge({
    intake,
    status: new RequestStatus({ records, clock, events, waits }),
    pairing,
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

  return {
    url,
    owner,
    desk,
    events,
    vault,
    refresh,
    expiry,
    facts,
    trayFacts: () => ({
      waiting: records.pendingRequests().length + records.pendingPairings().length,
      running: scheduler.counts().running,
      paused: pause.isPaused(),
      vault: vault.state(),
    }),
  };
}

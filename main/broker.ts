import type { OwnerActions } from '../contract/owner.ts';
import type { Subject, VaultState } from '../contract/states.ts';
import type { Channel, ConfirmBinding, Desk } from './approvals/channel.ts';
import type { ChildLauncher } from './backends/embedded/childLauncher.ts';
import type { Clock } from './core/clock.ts';
import type { Config } from './core/config.ts';
import type { Log } from './core/log.ts';
import type { RequestEvents } from './core/runPorts.ts';
import type { TrayFacts } from './desktop/trayModel.ts';
import { type House, openHouse } from './house.ts';
import type { LocalServices } from './net/localServices.ts';
import type { Notifier } from './notify/notifier.ts';
import { StopList } from './stopList.ts';
import type { KeyProtector } from './vault/keyProtector.ts';

/** What differs between the app, plain Node and tests. */
export type BrokerPorts = Readonly<{
  version: string;
  log: Log;
  /** Default: the clocks of this machine. */
  clock?: Clock;
  /** Default: cryptographically random bytes. */
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
  /** Absolute; for what can be made again. */
  cacheDir: string;
  nativeBinding?: string | undefined;
  ports: BrokerPorts;
}>;

/** The whole broker, without Electron. Everything but `start` and `stop` is there once `start` has resolved. */
export type Broker = Readonly<{
  /** Resolves when the bridge answers. Rejects with an error whose message tells what to do; then nothing is left open. */
  start(): Promise<Readonly<{ url: string }>>;
  /** Ends everything in order, within bounds; never rejects. */
  stop(): Promise<void>;
  owner: OwnerActions;
  desk: Desk & Readonly<{ addChannel(channel: Channel): void }>;
  confirmBinding: ConfirmBinding;
  events: RequestEvents;
  vault: Readonly<{ state(): VaultState }>;
  trayFacts(): TrayFacts;
  onFactsChanged(listener: () => void): () => void;
  /** The machine goes to sleep: nothing is held ready meanwhile. */
  goingToSleep(): void;
  /** The machine was asleep: deadlines are looked at now. */
  resumedFromSleep(): void;
  /** What is missing on this machine and how to add it, few plain sentences. */
  startLines(): readonly string[];
  /** Something only the owner can give is missing (a key for the vault, a first agent), so the window should open. */
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
    goingToSleep: () => opened().warmth.sleep(true),
    resumedFromSleep: () => {
      opened().warmth.sleep(false);
      opened().expiry.sweep();
    },
    startLines: () => opened().startLines(),
    needsOwner: () =>
      opened().vault.state() !== 'unlocked' ||
      !opened()
        .owner.agents()
        .some((agent) => agent.status !== 'revoked'),
  };
}

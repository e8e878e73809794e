import type { CardOutcome } from '../../contract/card.ts';
import type { Isolation, Runtime } from '../../contract/runtime.ts';
import type { SettingKey, Settings } from '../../contract/settings.ts';
import type { Subject, VaultState } from '../../contract/states.ts';
import type { ChannelName } from '../approvals/channel.ts';
import type { SandboxChoice } from '../core/manifest.ts';
import type { FetchedText } from '../net/fetchText.ts';

/** What `requests/` needs of the rest of the house; wired in the broker. */
export type Random = (bytes: number) => Uint8Array;

export type DeskPort = Readonly<{
  /** Shows the card on every channel; which were reached is known soon after. Never rejects. */
  open(subject: Subject, id: string): Promise<Readonly<{ reached: readonly ChannelName[] }>>;
  refresh(subject: Subject, id: string): void;
  ended(subject: Subject, id: string, outcome: CardOutcome): void;
}>;

export type SandboxPort = Readonly<{
  defaultRuntime(): Runtime;
  /** The sandbox that would run this, never one of another runtime and never a weaker one. */
  pick(runtime: Runtime, minimum: Isolation): SandboxChoice;
  /** What an isolation level does not enforce on this machine, a sentence each. */
  notes(isolation: Isolation): readonly string[];
  /** As `pick`, for something that is to be run: what is missing for it begins to be made. */
  want(runtime: Runtime, minimum: Isolation): SandboxChoice;
}>;

export type SettingsPort = Readonly<{ get<Key extends SettingKey>(key: Key): Settings[Key] }>;
export type VaultPort = Readonly<{ state(): VaultState }>;
export type PausePort = Readonly<{ isPaused(): boolean }>;
/** Canonical names that the owner declared as local services, as they are now. */
export type LocalNames = () => ReadonlySet<string>;

/** Gets a file over https with the guards of `net/`; rejects with FetchTextError. */
export type FetchSource = (url: string) => Promise<FetchedText>;

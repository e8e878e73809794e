import type { Card, CardOutcome } from '../../contract/card.ts';
import type { Principal, Subject, Verdict } from '../../contract/states.ts';

/** Where a card was put on a channel, kept so that it can be edited after a restart. Opaque to the desk. */
export type CardReference = Readonly<Record<string, string | number>>;

/** What a channel hands to the desk when the owner pressed something. `revision` is the one that was on screen. */
export type OwnerDecision = Readonly<{
  subject: Subject;
  id: string;
  revision: string;
  verdict: Verdict;
  principal: Principal;
  /** Only with `forever`: trust these very arguments, or any. Default `exact`. */
  argsPolicy?: 'exact' | 'any';
  /** Only with `deny`: told to the agent. */
  reason?: string;
}>;

export type DecisionResult =
  | Readonly<{ ok: true; outcome: CardOutcome }>
  /** `stale`: the card changed since it was shown; the channel shows the new one. `ended`: someone was first. */
  | Readonly<{ ok: false; reason: 'stale' | 'blocked' | 'ended' | 'unknown'; text: string; outcome?: CardOutcome }>;

export type ChannelName = 'window' | 'notification' | 'telegram';

/**
 * One way to reach the owner. Calls never reject: a channel that cannot deliver answers `reached: false` and keeps
 * trying by itself. Adapters: window, notification, Telegram; every one passes `channel.contract.ts`.
 */
export interface Channel {
  readonly name: ChannelName;
  /** Shows a new card, or the same card again after a restart (then with the stored `reference`). */
  show(card: Card, reference: CardReference | null): Promise<Readonly<{ reached: boolean; reference?: CardReference }>>;
  /** The card changed while it waits (secret added, binding confirmed). */
  update(card: Card, reference: CardReference | null): Promise<void>;
  /** The subject ended, wherever that happened: edit to the outcome, remove the buttons. */
  close(card: Pick<Card, 'subject' | 'id'>, outcome: CardOutcome, reference: CardReference | null): Promise<void>;
}

/** The owner's step on a card: this secret may go to these hosts, for this request. Throws CodedError. */
export type ConfirmBinding = (
  requestId: string,
  secretName: string,
  hosts: readonly string[],
  principal: Principal,
) => void;

/** The part of the desk that channels call. */
export interface Desk {
  decide(decision: OwnerDecision): Promise<DecisionResult>;
  /** Cards that wait now, oldest first. */
  waiting(): readonly Card[];
  card(subject: Subject, id: string): Card | null;
}

/** Knows one kind of subject: makes its card from stored truth and carries out the decision atomically. */
export interface SubjectHandler {
  readonly subject: Subject;
  card(id: string): Card | null;
  decide(decision: OwnerDecision): DecisionResult;
  /** Ids that wait now, oldest first: what the desk shows again after a restart. */
  waiting(): readonly string[];
}

import type { Segment } from './display.ts';
import type { Subject, Verdict } from './states.ts';

/**
 * A card: what the owner is shown about one subject. Computed by main from the manifest and from facts we computed;
 * every text that came from outside is already split into ready-to-show segments.
 */
export type CardFact = Readonly<{
  /** Stable name, so that channels can order or style: `agent`, `secrets`, `network`, `limits`, `changed`, ... */
  key: string;
  label: string;
  tone: 'plain' | 'notice' | 'danger';
  value: readonly Segment[];
}>;

export type CardCode = Readonly<{
  sha256: string;
  bytes: number;
  language: string;
  /** One entry a line, nothing left out: what is shown is what would run. */
  lines: readonly (readonly Segment[])[];
}>;

/** One thing that is new since the last approved version of the same skill of the same agent; for the first screen. */
export type CardChange = Readonly<{
  /** Stable name of what changed: `code`, `host`, `secret`, `limits`, ... */
  kind: string;
  severity: 'info' | 'warn' | 'danger';
  text: readonly Segment[];
}>;

/** Code of the last approved version, in the same form as that of the card. */
export type EarlierCode = Readonly<{ sha256: string; approvedAtMs: number; lines: CardCode['lines'] }>;

export type Card = Readonly<{
  subject: Subject;
  /** Id of the subject: request id, pairing id, ... */
  id: string;
  /** Changes whenever anything on the card changes; a decision must quote it. For a run: the manifest digest. */
  revision: string;
  createdAtMs: number;
  expiresAtMs: number;
  /** One sentence in prose: who asks for what. */
  sentence: readonly Segment[];
  /** What is new, what weighs most first; empty where nothing is or where nothing was approved before. */
  changes: readonly CardChange[];
  facts: readonly CardFact[];
  /** The agent's own words, quoted and labelled as such; never the basis of a fact. */
  quotes: readonly Readonly<{ label: string; text: readonly Segment[] }>[];
  code?: CardCode;
  /** Absent when nothing was approved before or its code is no longer kept. */
  earlier?: EarlierCode;
  /** What the code was seen to do, in plain sentences; warnings first. */
  findings: readonly Readonly<{ severity: 'info' | 'warn'; text: readonly Segment[] }>[];
  /** Secrets that the owner has to add before the card can be approved. */
  missingSecrets: readonly string[];
  /** Hosts of this request that a missing secret may be bound to in the same step. */
  bindableHosts?: readonly string[];
  /** Secrets that no binding covers: each needs its own step ("put KEY into requests to host H?"). */
  unboundSecrets: readonly Readonly<{ name: string; hosts: readonly string[] }>[];
  /** Verdicts that this card can take; approving ones are absent while the card is blocked. */
  verdicts: readonly Verdict[];
  /** The owner approved this very trust key before (a native notification may then offer Run Once). */
  seenBefore: boolean;
  /** For the confirm step of Always Trust: the request has arguments, so "these" or "any" can be chosen. */
  hasArgs: boolean;
  /** "Any" may be offered: the code was read in full and runs no text as code, which the arguments could then bring. */
  anyArgs: boolean;
}>;

/** How a subject ended, for editing what the channels show. */
export type CardOutcome = Readonly<{
  kind: 'approved' | 'denied' | 'expired' | 'cancelled' | 'withdrawn';
  verdict?: Verdict;
  /** Principal as a person reads it: "in the app", "by Telegram user 42". */
  by?: string;
  /** One plain sentence for a person. */
  text: string;
}>;

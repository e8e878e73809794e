import { z } from 'zod';
import type { Segment } from './display.ts';
import type { Principal } from './states.ts';

/** Telegram as the window sets it up. The token goes in and never comes out again. */
export const memberKindSchema = z.enum(['person', 'group']);
export type MemberKind = z.infer<typeof memberKindSchema>;

export const telegramTokenInput = z.strictObject({ token: z.string().min(1).max(300) });
export const telegramInviteInput = z.strictObject({ kind: memberKindSchema });
export const telegramChatInput = z.strictObject({ chatId: z.number().int() });

/** Who gets the cards: a person, who may decide, or a group, where such persons may. */
export type TelegramMember = Readonly<{ chatId: number; kind: MemberKind; name: readonly Segment[] }>;

/** Whoever sends `/start <code>` to the bot may be let in; only this window shows the code. */
export type TelegramInvitation = Readonly<{
  kind: MemberKind;
  code: string;
  /** Opens the bot with the code filled in. */
  link: string;
  expiresAtMs: number;
  /** Who sent it. Lets nobody in before the owner says so. */
  claim: TelegramMember | null;
}>;

/** The test card: `works` once somebody pressed its button. */
export type TelegramTest = Readonly<{ state: 'sent' | 'works' | 'failed'; text: readonly Segment[] }>;

export type TelegramView = Readonly<{
  /** `environment`: it wins, and nothing can be changed here. */
  source: 'none' | 'environment' | 'window';
  /** Without the @; null when it is not known. */
  bot: string | null;
  connection: 'connected' | 'disconnected' | 'not_configured';
  /** What is missing, a sentence; null when nothing is. */
  problem: string | null;
  members: readonly TelegramMember[];
  invitation: TelegramInvitation | null;
  /** Why the last code let nobody in, a sentence; null when there is nothing to tell. */
  invitationEnded: string | null;
  test: TelegramTest | null;
}>;

/** The owner's part in setting up Telegram. What changes something throws CodedError while the environment sets it. */
export interface TelegramActions {
  view(): Promise<TelegramView>;
  /** Asks Telegram about the token, keeps it encrypted and starts the bot; the members stay. */
  connect(principal: Principal, token: string): Promise<void>;
  /** A new code; an earlier one does not count any more. */
  invite(principal: Principal, kind: MemberKind): void;
  cancelInvitation(principal: Principal): void;
  /** Lets in who sent the code; `chatId` is the one that the owner saw. */
  admit(principal: Principal, chatId: number): Promise<void>;
  remove(principal: Principal, chatId: number): Promise<void>;
  /** A card that decides nothing, to every person. */
  test(principal: Principal): Promise<void>;
  /** Forgets token and members. */
  disconnect(principal: Principal): Promise<void>;
}

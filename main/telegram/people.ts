import type { Principal } from '../../contract/states.ts';

/** Who may answer, and which groups get the cards. From TELEGRAM_CHAT_ID: positive numbers are approvers, negative groups. */
export type People = Readonly<{ approvers: ReadonlySet<number>; groups: ReadonlySet<number> }>;

export function peopleOf(chatIds: readonly number[]): People {
  return {
    approvers: new Set(chatIds.filter((id) => id > 0)),
    groups: new Set(chatIds.filter((id) => id < 0)),
  };
}

/** What an update says about its sender; any of it may be missing. */
export type Sender = Readonly<{
  from: Readonly<{ id: number; is_bot: boolean }> | undefined;
  chat: Readonly<{ id: number; type: string }> | undefined;
}>;

export type Standing =
  | Readonly<{ ok: true; userId: number; chatId: number; isPrivate: boolean; principal: Principal }>
  | Readonly<{ ok: false; reason: 'no_sender' | 'bot' | 'stranger' | 'other_chat' }>;

/**
 * Only an approver counts, only in the private chat with us or in a configured group. Whatever is missing counts
 * against the sender (ATTACKS 197).
 */
export function judgeSender(people: People, { from, chat }: Sender): Standing {
  if (from === undefined || chat === undefined) return { ok: false, reason: 'no_sender' };
  if (from.is_bot) return { ok: false, reason: 'bot' };
  if (!people.approvers.has(from.id)) return { ok: false, reason: 'stranger' };
  const isPrivate = chat.type === 'private' && chat.id === from.id;
  if (!isPrivate && !people.groups.has(chat.id)) return { ok: false, reason: 'other_chat' };
  return { ok: true, userId: from.id, chatId: chat.id, isPrivate, principal: `telegram:${from.id}` };
}

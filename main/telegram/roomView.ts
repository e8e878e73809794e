import type { TelegramMember, TelegramTest, TelegramView } from '../../contract/telegramView.ts';
import { toSegments } from '../core/display.ts';
import type { Invitation } from './invitations.ts';
import type { Member, Setup } from './storedSetup.ts';

/** What the room knows, before it is made safe to show. */
export type RoomState = Readonly<{
  /** Chats that the environment names; null when it names no bot. */
  environmentChats: readonly number[] | null;
  setup: Setup | null;
  connection: TelegramView['connection'];
  problem: string | null;
  invitation: Invitation | null;
  invitationEnded: string | null;
  test: Readonly<{ state: TelegramTest['state']; text: string }> | null;
}>;

const MAX_NAME = 80;

/** The room as the window shows it: everything but the token, and names only as segments. */
export function roomView(state: RoomState): TelegramView {
  const { environmentChats, setup, connection, problem, invitationEnded } = state;
  const fromEnvironment = environmentChats !== null;
  const members = fromEnvironment ? environmentChats.map(unnamed) : (setup?.members ?? []);
  const test = state.test;
  return {
    source: fromEnvironment ? 'environment' : connection === 'not_configured' ? 'none' : 'window',
    bot: fromEnvironment ? null : (setup?.username ?? null),
    connection,
    problem,
    members: members.map(shown),
    invitation: state.invitation === null || setup === null ? null : invitationView(state.invitation, setup.username),
    invitationEnded,
    test: test === null ? null : { state: test.state, text: toSegments(test.text, { maxChars: 300 }) },
  };
}

const unnamed = (chatId: number): Member => ({
  chatId,
  kind: chatId > 0 ? 'person' : 'group',
  name: chatId > 0 ? 'User' : 'Group',
});

const shown = ({ chatId, kind, name }: Member): TelegramMember => ({
  chatId,
  kind,
  name: toSegments(name.trim() === '' ? 'without a name' : name, { maxChars: MAX_NAME }),
});

function invitationView({ kind, code, expiresAtMs, claim }: Invitation, username: string): TelegramView['invitation'] {
  const link = `https://t.me/${username}?${kind === 'person' ? 'start' : 'startgroup'}=${code}`;
  return { kind, code, link, expiresAtMs, claim: claim === null ? null : shown(claim) };
}

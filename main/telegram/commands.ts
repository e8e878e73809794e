import type { InlineKeyboardButton } from 'grammy/types';
import type { OwnerActions } from '../../contract/owner.ts';
import type { Principal } from '../../contract/states.ts';
import type { Desk } from '../approvals/channel.ts';
import { toVisibleText } from '../core/display.ts';
import { segmentText } from '../core/segmentText.ts';
import type { TelegramChannel } from './channel.ts';
import type { Questions } from './questions.ts';
import { RichText, shorten } from './richText.ts';
import type { SecretEntry } from './secretEntry.ts';

export type TelegramOwner = Pick<
  OwnerActions,
  | 'status'
  | 'secrets'
  | 'addSecret'
  | 'removeSecret'
  | 'trust'
  | 'revokeTrust'
  | 'revokeAllTrust'
  | 'pause'
  | 'resume'
  | 'panic'
  | 'audit'
>;

export type CommandPorts = Readonly<{
  owner: TelegramOwner;
  desk: Desk;
  channel: TelegramChannel;
  questions: Questions;
  secretEntry: SecretEntry;
}>;

export type CommandCall = Readonly<{
  userId: number;
  chatId: number;
  isPrivate: boolean;
  principal: Principal;
  messageId: number;
  /** What follows the command, as typed. */
  argument: string;
}>;

/** `null`: everything was said already. */
export type Reply = Readonly<{ text: RichText; buttons?: InlineKeyboardButton[][] }> | null;

export type Command = Readonly<{
  name: string;
  alias?: string;
  description: string;
  run(ports: CommandPorts, call: CommandCall): Reply | Promise<Reply>;
}>;

/** Telegram takes 4096 characters; lists stop before that and say so. */
const MAX_LIST = 3500;

const say = (text: string): Reply => ({ text: new RichText().addOutside(text) });

/** A heading and one line each; a line that does not fit any more is counted instead. */
function list(heading: string, lines: readonly string[], empty: string): Reply {
  if (lines.length === 0) return say(empty);
  const rich = new RichText().add(heading, 'bold');
  let shown = 0;
  for (const line of lines) {
    if (rich.length + line.length > MAX_LIST) break;
    rich.add('\n').addOutside(line);
    shown += 1;
  }
  if (shown < lines.length) rich.add(`\n… and ${lines.length - shown} more: see the app.`);
  return { text: rich };
}

const outside = (text: string): string => toVisibleText(text, { maxChars: 200 });

/** All commands (INTERFACES 4), in the order of the menu. */
export const commands: readonly Command[] = [
  {
    name: 'start',
    description: 'what this bot is for',
    run: () =>
      say('I show you what agents ask for. Nothing runs before you press a button. Send /help for what I understand.'),
  },
  {
    name: 'pending',
    description: 'what waits for your answer',
    run: async ({ desk, channel }, call) => {
      const cards = desk.waiting();
      // Brings back a card whose message was deleted.
      await Promise.all(cards.slice(0, 20).map((card) => channel.again(card, call.chatId)));
      const lines = cards.map((card) => `• ${shorten(segmentText(card.sentence), 200)} (${card.id})`);
      return list(`Waiting for you: ${cards.length}`, lines, 'Nothing waits for you.');
    },
  },
  {
    name: 'secrets',
    alias: 'list_secrets',
    description: 'names of the stored secrets',
    run: ({ owner }) => {
      const lines = owner.secrets().map((secret) => {
        const hosts = secret.hosts.length === 0 ? 'not bound yet' : secret.hosts.join(', ');
        return `• ${secret.name} → ${hosts}${secret.delivery === 'raw' ? ' (raw!)' : ''}`;
      });
      return list('Secrets', lines, 'No secrets yet. Add one with /add_secret NAME.');
    },
  },
  {
    name: 'add_secret',
    description: 'NAME: store a secret, I ask for the value',
    run: async ({ secretEntry }, call) => {
      const [, name = '', value = ''] = /^(\S*)\s*([\s\S]*)$/.exec(call.argument.trim()) ?? [];
      if (name === '') return say('Send /add_secret NAME, for example /add_secret OPENAI_API_KEY.');
      if (value !== '' && !call.isPrivate) {
        await secretEntry.refuseInGroup(call.chatId, call.messageId);
        return null;
      }
      if (value !== '') {
        await secretEntry.takeDirect(call, call.messageId, name, value);
        return null;
      }
      const problem = await secretEntry.ask(call.userId, name);
      if (problem !== null) return say(problem);
      return call.isPrivate ? null : say('I asked you for the value in our private chat.');
    },
  },
  {
    name: 'delete_secret',
    description: 'NAME: delete a secret',
    run: ({ owner }, call) => {
      if (call.argument === '') return say('Send /delete_secret NAME.');
      owner.removeSecret(call.principal, call.argument);
      return say(`Deleted ${outside(call.argument)}.`);
    },
  },
  {
    name: 'trust',
    description: 'what may run without asking',
    run: ({ owner }) => {
      const live = owner.trust().filter((entry) => entry.status === 'live' || entry.status === 'suspended');
      const lines = live.map((entry) => {
        const until = entry.expires_at === null ? 'always' : `until ${entry.expires_at}`;
        const state = entry.status === 'suspended' ? `, suspended: ${entry.reason ?? ''}` : '';
        return `• ${outside(entry.skill_id)} of ${outside(entry.agent)}, ${until}, used ${entry.use_count} times${state}. /revoke ${entry.id}`;
      });
      return list('Trusted', lines, 'Nothing is trusted: every request asks you.');
    },
  },
  {
    name: 'revoke',
    description: 'ID or all: take trust back',
    run: ({ owner }, call) => {
      if (call.argument === '') return say('Send /revoke ID (see /trust) or /revoke all.');
      if (call.argument === 'all') return say(`Revoked ${owner.revokeAllTrust(call.principal)} entries.`);
      owner.revokeTrust(call.principal, call.argument);
      return say('Revoked.');
    },
  },
  {
    name: 'audit',
    description: 'the last events',
    run: async ({ owner }) => {
      const rows = await owner.audit({ limit: 15 });
      const lines = rows.map(
        (row) => `${row.seq} ${row.at} ${row.kind} ${row.actor}${row.request_id === null ? '' : ` ${row.request_id}`}`,
      );
      return list('Last events', lines.map(outside), 'No events yet.');
    },
  },
  {
    name: 'pause',
    description: 'stop taking requests',
    run: ({ owner }, call) => {
      owner.pause(call.principal);
      return say('Paused: no request is taken and nothing new runs. /resume goes on.');
    },
  },
  {
    name: 'resume',
    description: 'take requests again',
    run: ({ owner }, call) => {
      owner.resume(call.principal);
      return say('Resumed.');
    },
  },
  {
    name: 'panic',
    description: 'stop everything (asks first)',
    run: ({ owner, questions }, call) => ({
      text: new RichText().add('Stop all runs, revoke all trust, pause all agents and lock the vault?', 'bold'),
      buttons: questions.ask(call, [
        {
          label: '🛑 Stop everything',
          run: async () => {
            const done = await owner.panic(call.principal);
            return `Done: ${done.runs_stopped} runs stopped, ${done.trust_revoked} trust entries revoked, ${done.agents_paused} agents paused, vault locked.`;
          },
        },
        { label: '↩ No', run: async () => 'Nothing was changed.' },
      ]),
    }),
  },
  {
    name: 'health',
    description: 'how the app is',
    run: async ({ owner }) => {
      const status = await owner.status();
      return list(
        `OAuth3 ${status.version}${status.paused ? ' (paused)' : ''}`,
        [
          `Vault: ${status.vault}`,
          `Database: ${status.database}`,
          `Waiting: ${status.waiting}, running: ${status.running}`,
          ...Object.entries(status.sandbox).map(([isolation, state]) => `Sandbox ${isolation}: ${state}`),
          ...status.notes.map(outside),
        ],
        '',
      );
    },
  },
  {
    name: 'id',
    description: 'your user id and the id of this chat',
    run: (_ports, call) => say(idText(call.userId, call.chatId)),
  },
  {
    name: 'help',
    description: 'what I understand',
    run: () =>
      list(
        'Commands',
        commands.map((command) => `/${command.name} — ${command.description}`),
        '',
      ),
  },
];

/** Also said to anybody while no approver is configured: it is how one learns what to configure. */
export function idText(userId: number, chatId: number): string {
  const chat = chatId === userId ? '' : ` The id of this chat is ${chatId}.`;
  return `Your user id is ${userId}.${chat} Approvers and groups are set in the app, or with TELEGRAM_CHAT_ID.`;
}

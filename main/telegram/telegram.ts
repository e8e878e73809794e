import { Bot, type Context } from 'grammy';
import type { Message as TelegramMessage } from 'grammy/types';
import { CodedError } from '../../contract/errors.ts';
import type { ConfirmBinding, Desk } from '../approvals/channel.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Records } from '../core/records.ts';
import type { Failure } from './apiError.ts';
import type { Backoff } from './backoff.ts';
import { Buttons } from './buttons.ts';
import { TelegramChannel } from './channel.ts';
import { type CommandPorts, commands, idText, type Reply, type TelegramOwner } from './commands.ts';
import { Connection } from './connection.ts';
import type { Invitations } from './invitations.ts';
import { Outbox } from './outbox.ts';
import { judgeSender, type People, peopleOf } from './people.ts';
import { Prompts } from './prompts.ts';
import { Questions } from './questions.ts';
import { Refusals } from './refusals.ts';
import { RichText } from './richText.ts';
import { SecretEntry } from './secretEntry.ts';
import { Taps } from './taps.ts';

export type TelegramConfig = Readonly<{
  token: string;
  /** Positive are approvers, negative groups. */
  chatIds: readonly number[];
  /** Where the owner configured it, and so where a mistake is mended; default the environment. */
  from?: 'environment' | 'window';
  /** Base URL of the Bot API without the token; default Telegram's own. */
  apiRoot?: string;
  /** Waits between attempts; default 1 s growing to 60 s. */
  backoff?: Backoff;
}>;

export type TelegramPorts = Readonly<{
  desk: Desk;
  owner: TelegramOwner;
  confirmBinding: ConfirmBinding;
  records: Pick<Records, 'state' | 'setState' | 'saveCard' | 'saveNonces' | 'nonce' | 'removeNonces' | 'appendAudit'>;
  /** Who shall become an approver or a group. */
  invitations: Pick<Invitations, 'take'>;
  /** It got connected, or lost the connection. */
  changed: () => void;
  clock: Clock;
  random: (bytes: number) => Uint8Array;
  log: Log;
}>;

/** The Telegram bot of the owner: cards, buttons and commands. */
export class Telegram {
  readonly channel: TelegramChannel;
  readonly #people: People;
  readonly #outbox: Outbox;
  readonly #connection: Connection;
  readonly #stop = new AbortController();
  readonly #refusals: Refusals;
  readonly #secretEntry: SecretEntry;
  readonly #commandPorts: CommandPorts;
  readonly #questions: Questions;
  readonly #invitations: Pick<Invitations, 'take'>;
  readonly #inWindow: boolean;

  constructor(config: TelegramConfig, ports: TelegramPorts) {
    const { records, clock, log, random, desk, owner } = ports;
    const stopped = this.#stop.signal;
    const backoff = config.backoff ?? { firstMs: 1000, maxMs: 60_000 };
    const bot = new Bot(config.token, clientOf(config));
    this.#people = peopleOf(config.chatIds);
    this.#refusals = new Refusals((event) => records.appendAudit(event, clock.wallMs()), clock);
    this.#outbox = new Outbox(bot.api, clock, stopped);
    this.#inWindow = config.from === 'window';
    this.#invitations = ports.invitations;
    const buttons = new Buttons({ records, random, clock });
    const chats = [...this.#people.approvers, ...this.#people.groups];
    const botId = Number(/^\d*/.exec(config.token)?.[0]);
    const outbox = this.#outbox;
    this.channel = new TelegramChannel({ outbox, buttons, records, clock, botId, chats, log, backoff, stopped });
    const questions = new Questions(random, clock);
    this.#questions = questions;
    const prompts = new Prompts(records, clock);
    this.#secretEntry = new SecretEntry({ owner, outbox: this.#outbox, prompts, log });
    this.#commandPorts = { owner, desk, channel: this.channel, questions, secretEntry: this.#secretEntry };
    const taps = new Taps({
      people: this.#people,
      desk,
      channel: this.channel,
      buttons,
      questions,
      outbox: this.#outbox,
      refusals: this.#refusals,
      secretEntry: this.#secretEntry,
      confirmBinding: ports.confirmBinding,
    });
    bot.on('callback_query', (context) => taps.take(context.callbackQuery));
    bot.on('message', (context) => this.#takeMessage(context, context.message));
    this.#connection = new Connection({
      bot,
      records,
      clock,
      log,
      backoff,
      stopped,
      tokenHint: this.#inWindow ? 'give a new one in Settings, Telegram' : 'check TELEGRAM_BOT_TOKEN',
      changed: ports.changed,
      commands: commands.map(({ name, description }) => ({ command: name, description })),
      replayed: (update) => {
        const from = update.callback_query?.from ?? update.message?.from;
        const chat = update.callback_query?.message?.chat ?? update.message?.chat;
        const reason = 'taken_before';
        this.#refusals.note({ userId: from?.id ?? null, chatId: chat?.id ?? null, what: 'update', reason });
      },
    });
  }

  start(): void {
    this.#connection.start();
  }

  /** Ends polling and every attempt to deliver; what was taken already is finished first. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#connection.ended();
  }

  status(): Promise<'connected' | 'disconnected'> {
    return this.#connection.status();
  }

  /** Plain sentence for the owner when something is missing, else null. */
  get problem(): string | null {
    if (this.#connection.problem !== null) return this.#connection.problem;
    if (this.#people.approvers.size > 0) return null;
    if (this.#inWindow) return 'Telegram has no approver yet: go on in Settings, Telegram';
    return 'Telegram has no approver: send /id to the bot and put your user id into TELEGRAM_CHAT_ID';
  }

  /** Tells every chat something that asks nothing. */
  async notice(text: string): Promise<void> {
    const chats = [...this.#people.approvers, ...this.#people.groups];
    const message = new RichText().add('ℹ️ ').addOutside(text).message();
    await Promise.all(chats.map((chatId) => this.#outbox.send(chatId, message)));
  }

  /** A card that decides nothing, to every approver. `pressed` is told once, who it was. Answers what went wrong. */
  async test(pressed: (userId: number) => void): Promise<readonly Readonly<{ userId: number; failure: Failure }>[]> {
    const text = new RichText().add('Test card', 'bold').add('\nNothing runs. Press the button, and the app knows it.');
    const sent = await Promise.all(
      [...this.#people.approvers].map(async (userId) => {
        const run = async (): Promise<string> => {
          pressed(userId);
          return 'It works: cards reach you here.';
        };
        const buttons = this.#questions.ask({ userId, chatId: userId }, [{ label: '✅ It works', run }]);
        return { userId, result: await this.#outbox.send(userId, text.message(), { buttons }) };
      }),
    );
    return sent.flatMap(({ userId, result }) => (result.ok ? [] : [{ userId, failure: result.failure }]));
  }

  async #takeMessage(context: Context, message: TelegramMessage): Promise<void> {
    if (await this.#takeKnock(context, message)) return;
    const who = judgeSender(this.#people, { from: message.from, chat: message.chat });
    const text = message.text ?? '';
    if (!who.ok) return this.#takeStranger(message, who.reason);
    // Words of somebody else are no command of the owner.
    if (message.forward_origin !== undefined || message.via_bot !== undefined) {
      this.#refusals.note({ userId: who.userId, chatId: who.chatId, what: 'message', reason: 'forwarded' });
      return;
    }
    const replyTo = message.reply_to_message?.message_id;
    if (who.isPrivate && replyTo !== undefined && text !== '') {
      if (await this.#secretEntry.takeReply(who, replyTo, message.message_id, text)) return;
    }
    const found = commandIn(text, context.me.username);
    if (found === null) {
      if (!who.isPrivate || text === '' || (await this.#secretEntry.takeStray(who, message.message_id))) return;
      await this.#say(who.chatId, { text: new RichText().add('I understand commands only. Send /help.') });
      return;
    }
    const command = commands.find(({ name, alias }) => name === found.name || alias === found.name);
    if (command === undefined)
      return this.#say(who.chatId, { text: new RichText().add('Unknown command. Send /help.') });
    const call = { ...who, messageId: message.message_id, argument: found.argument };
    const reply = await followed(() => command.run(this.#commandPorts, call));
    await this.#say(who.chatId, reply);
  }

  /** `/start CODE` while a code is waited for. */
  async #takeKnock(context: Context, message: TelegramMessage): Promise<boolean> {
    const found = commandIn(message.text ?? '', context.me.username);
    if (found?.name !== 'start' || found.argument === '') return false;
    const { from, chat } = message;
    const forwarded = message.forward_origin !== undefined || message.via_bot !== undefined;
    const name = chat.type === 'private' ? personName(from) : (chat.title ?? '');
    const answer = this.#invitations.take({ code: found.argument, from, chat, name, forwarded });
    if (answer === null) return false;
    const { refused, reply } = answer;
    if (refused !== null) {
      this.#refusals.note({ userId: from?.id ?? null, chatId: chat.id, what: 'message', reason: refused });
    }
    if (reply !== null) await this.#say(chat.id, { text: new RichText().add(reply) });
    return true;
  }

  /** Silence, except while nobody is configured: then `/id` is how the owner learns what to configure. */
  async #takeStranger(message: TelegramMessage, reason: string): Promise<void> {
    const userId = message.from?.id ?? null;
    this.#refusals.note({ userId, chatId: message.chat.id, what: 'message', reason });
    const asksForId = /^\/(id|start)\b/.test(message.text ?? '');
    if (this.#inWindow || this.#people.approvers.size > 0 || userId === null || !asksForId) return;
    await this.#say(message.chat.id, { text: new RichText().add(idText(userId, message.chat.id)) });
  }

  async #say(chatId: number, reply: Reply): Promise<void> {
    if (reply === null) return;
    const options = reply.buttons === undefined ? {} : { buttons: reply.buttons };
    await this.#outbox.send(chatId, reply.text.message(), options);
  }
}

function clientOf(config: TelegramConfig): ConstructorParameters<typeof Bot>[1] {
  if (config.apiRoot === undefined) return {};
  return { client: { apiRoot: config.apiRoot.replace(/\/+$/, '') } };
}

function personName(from: TelegramMessage['from']): string {
  const username = from?.username === undefined ? '' : `(@${from.username})`;
  return [from?.first_name, from?.last_name, username].filter((part) => part !== undefined && part !== '').join(' ');
}

/** `/name argument`, also as `/name@ourbot argument`; null for anything else and for commands to other bots. */
function commandIn(text: string, ourName: string): Readonly<{ name: string; argument: string }> | null {
  const [, name, bot, argument = ''] = /^\/(\w{1,32})(?:@(\w+))?(?:\s+([\s\S]*))?$/.exec(text) ?? [];
  if (name === undefined || (bot !== undefined && bot.toLowerCase() !== ourName.toLowerCase())) return null;
  return { name: name.toLowerCase(), argument: argument.trim() };
}

async function followed(run: () => Reply | Promise<Reply>): Promise<Reply> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const hint = error.extras.hint === undefined ? '' : ` ${error.extras.hint}`;
    return { text: new RichText().addOutside(`${error.message}${hint}`) };
  }
}

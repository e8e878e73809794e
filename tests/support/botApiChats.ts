import {
  BotApiRefusal,
  type Button,
  checkMarkup,
  checkText,
  type Entity,
  type Method,
  payloads,
  refuse,
} from './botApiRules.ts';

export type BotFile = Readonly<{ name: string; bytes: Buffer }>;

/** A message as it stands in a chat. Text of a document is its caption. */
export type ChatMessage = Readonly<{
  messageId: number;
  chatId: number;
  fromBot: boolean;
  /** Id of the bot, 0 for a person. */
  sentBy: number;
  text: string;
  entities: readonly Entity[];
  buttons: readonly (readonly Button[])[];
  forceReply: boolean;
  document: BotFile | null;
  replyTo: number | null;
  edits: number;
  deleted: boolean;
}>;

type RawUser = Readonly<{ id: number; is_bot: boolean; first_name: string; username?: string }>;
type RawMessage = Readonly<{ message_id: number; date: number; chat: object; text?: string }> &
  Readonly<Record<string, unknown>>;

/** All chats of the bot: what was sent, edited, deleted. */
export class BotApiChats {
  readonly #messages = new Map<string, ChatMessage>();
  readonly #blocked = new Set<number>();
  #nextId = 100;

  bot(id: number): RawUser {
    return { id, is_bot: true, first_name: 'OAuth3 test', username: 'oauth3_test_bot' };
  }

  user(id: number): RawUser {
    return { id, is_bot: false, first_name: `User ${id}` };
  }

  block(chatId: number): void {
    this.#blocked.add(chatId);
  }

  messages(chatId: number): readonly ChatMessage[] {
    return [...this.#messages.values()].filter((message) => message.chatId === chatId && !message.deleted);
  }

  deleted(chatId: number): readonly ChatMessage[] {
    return [...this.#messages.values()].filter((message) => message.chatId === chatId && message.deleted);
  }

  findButton(
    label: string,
    chatId: number,
    { messageId, about = '' }: Readonly<{ messageId?: number; about?: string }> = {},
  ): Readonly<{ message: ChatMessage; data: string }> | null {
    const found = this.messages(chatId).findLast(
      (message) =>
        (messageId === undefined || message.messageId === messageId) &&
        message.text.includes(about) &&
        message.buttons.flat().some((button) => button.text === label),
    );
    const data = found?.buttons.flat().find((button) => button.text === label)?.callback_data;
    return found === undefined || data === undefined ? null : { message: found, data };
  }

  /** A text of a user; commands get their entity, as Telegram marks them. */
  said(text: string, fromId: number, chatId: number, replyTo: number | null): RawMessage {
    const command = /^\/\w+(@\w+)?/.exec(text)?.[0];
    const entities: Entity[] =
      command === undefined ? [] : [{ type: 'bot_command', offset: 0, length: command.length }];
    const message = this.#add({ chatId, fromBot: false, text, entities, replyTo });
    return { ...this.raw(chatId, message.messageId), from: this.user(fromId) };
  }

  raw(chatId: number, messageId: number): RawMessage {
    const message = this.#messages.get(`${chatId}:${messageId}`);
    const base = { message_id: messageId, date: Math.floor(Date.now() / 1000), chat: chatOf(chatId) };
    if (message === undefined) return { ...base, date: 0 };
    const replied = message.replyTo === null ? {} : { reply_to_message: this.raw(chatId, message.replyTo) };
    const markup = message.buttons.length === 0 ? {} : { reply_markup: { inline_keyboard: message.buttons } };
    return {
      ...base,
      ...(message.fromBot ? { from: this.bot(message.sentBy) } : {}),
      ...(message.document === null ? { text: message.text, entities: message.entities } : { caption: message.text }),
      ...replied,
      ...markup,
    };
  }

  /** 0 when there is no such message, or a person sent it. */
  senderOf(chatId: number, messageId: number): number {
    return this.#messages.get(`${chatId}:${messageId}`)?.sentBy ?? 0;
  }

  perform(
    method: Method,
    raw: Readonly<Record<string, unknown>>,
    files: ReadonlyMap<string, BotFile>,
    botId: number,
  ): unknown {
    switch (method) {
      case 'sendMessage': {
        const payload = payloads.sendMessage.parse(raw);
        this.#checkChat(payload.chat_id);
        checkText(payload.text, payload.entities ?? []);
        const message = this.#add({
          chatId: payload.chat_id,
          fromBot: true,
          sentBy: botId,
          text: payload.text,
          entities: payload.entities ?? [],
          buttons: checkMarkup(payload.reply_markup),
          forceReply: payload.reply_markup !== undefined && 'force_reply' in payload.reply_markup,
          replyTo: payload.reply_parameters?.message_id ?? null,
        });
        return this.raw(message.chatId, message.messageId);
      }
      case 'sendDocument': {
        const payload = payloads.sendDocument.parse(raw);
        this.#checkChat(payload.chat_id);
        const file = files.get(payload.document.replace(/^attach:\/\//, ''));
        if (file === undefined || file.bytes.length === 0) throw refuse('file must be non-empty');
        const message = this.#add({
          chatId: payload.chat_id,
          fromBot: true,
          sentBy: botId,
          text: payload.caption ?? '',
          document: file,
          replyTo: payload.reply_parameters?.message_id ?? null,
        });
        return this.raw(message.chatId, message.messageId);
      }
      case 'editMessageText': {
        const payload = payloads.editMessageText.parse(raw);
        checkText(payload.text, payload.entities ?? []);
        return this.#edit(botId, payload.chat_id, payload.message_id, {
          text: payload.text,
          entities: payload.entities ?? [],
          buttons: checkMarkup(payload.reply_markup),
        });
      }
      case 'editMessageReplyMarkup': {
        const payload = payloads.editMessageReplyMarkup.parse(raw);
        return this.#edit(botId, payload.chat_id, payload.message_id, { buttons: checkMarkup(payload.reply_markup) });
      }
      case 'deleteMessage': {
        const payload = payloads.deleteMessage.parse(raw);
        const message = this.#live(payload.chat_id, payload.message_id, 'message to delete not found');
        this.#put({ ...message, deleted: true });
        return true;
      }
      default:
        throw new BotApiRefusal(404, 'Not Found: method not found');
    }
  }

  #add(message: Pick<ChatMessage, 'chatId' | 'fromBot' | 'text'> & Partial<ChatMessage>): ChatMessage {
    this.#nextId += 1;
    return this.#put({
      messageId: this.#nextId,
      entities: [],
      buttons: [],
      forceReply: false,
      document: null,
      replyTo: null,
      edits: 0,
      deleted: false,
      sentBy: 0,
      ...message,
    });
  }

  #put(message: ChatMessage): ChatMessage {
    this.#messages.set(`${message.chatId}:${message.messageId}`, message);
    return message;
  }

  #live(chatId: number, messageId: number, otherwise: string): ChatMessage {
    const message = this.#messages.get(`${chatId}:${messageId}`);
    if (message === undefined || message.deleted) throw refuse(otherwise);
    return message;
  }

  #edit(botId: number, chatId: number, messageId: number, change: Partial<ChatMessage>): unknown {
    const message = this.#live(chatId, messageId, 'message to edit not found');
    if (message.sentBy !== botId) throw refuse("message can't be edited");
    const shown = (of: ChatMessage): string => JSON.stringify([of.text, of.entities, of.buttons]);
    const next = { ...message, ...change, edits: message.edits + 1 };
    if (shown(next) === shown(message)) {
      throw refuse(
        'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
      );
    }
    this.#put(next);
    return this.raw(chatId, messageId);
  }

  #checkChat(chatId: number): void {
    if (chatId === 0) throw refuse('chat not found');
    if (this.#blocked.has(chatId)) throw new BotApiRefusal(403, 'Forbidden: bot was blocked by the user');
  }
}

const chatOf = (id: number): object =>
  id > 0 ? { id, type: 'private', first_name: `User ${id}` } : { id, type: 'supergroup', title: `Group ${id}` };

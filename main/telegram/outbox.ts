import { type Api, InputFile } from 'grammy';
import type { InlineKeyboardButton } from 'grammy/types';
import { classify, type Failure } from './apiError.ts';
import type { CardFile } from './cardMessage.ts';
import type { Message } from './richText.ts';
import { callSignal, type GrammySignal } from './signal.ts';

const CALL_TIMEOUT_MS = 15_000;

export type Sent = Readonly<{ ok: true; messageId: number }> | Readonly<{ ok: false; failure: Failure }>;
export type SendOptions = Readonly<{
  buttons?: InlineKeyboardButton[][];
  replyTo?: number;
  forceReply?: string;
}>;

/**
 * Calls to Telegram that answer instead of rejecting. Text goes out with entities and never with a parse mode, and
 * without link previews; a chat that was told to slow down is left alone until then.
 */
export class Outbox {
  readonly #api: Api;
  readonly #clock: Readonly<{ monotonicMs(): number }>;
  readonly #stopped: AbortSignal;
  readonly #notBefore = new Map<number, number>();

  constructor(api: Api, clock: Readonly<{ monotonicMs(): number }>, stopped: AbortSignal) {
    this.#api = api;
    this.#clock = clock;
    this.#stopped = stopped;
  }

  send(chatId: number, message: Message, options: SendOptions = {}): Promise<Sent> {
    return this.#withEntities(message, (entities) =>
      this.#call(chatId, (signal) =>
        this.#api.sendMessage(
          chatId,
          message.text,
          {
            ...entities,
            link_preview_options: { is_disabled: true },
            ...replyTo(options.replyTo),
            ...(options.buttons === undefined ? {} : { reply_markup: { inline_keyboard: options.buttons } }),
            ...(options.forceReply === undefined
              ? {}
              : { reply_markup: { force_reply: true, input_field_placeholder: options.forceReply } }),
          },
          signal,
        ),
      ),
    );
  }

  /** Without `buttons` the message loses the ones it has. */
  edit(chatId: number, messageId: number, message: Message, buttons?: InlineKeyboardButton[][]): Promise<Sent> {
    return this.#withEntities(message, (entities) =>
      this.#call(chatId, async (signal) => {
        await this.#api.editMessageText(
          chatId,
          messageId,
          message.text,
          {
            ...entities,
            link_preview_options: { is_disabled: true },
            reply_markup: { inline_keyboard: buttons ?? [] },
          },
          signal,
        );
        return { message_id: messageId };
      }),
    );
  }

  dropButtons(chatId: number, messageId: number): Promise<Sent> {
    return this.#call(chatId, async (signal) => {
      await this.#api.editMessageReplyMarkup(chatId, messageId, { reply_markup: { inline_keyboard: [] } }, signal);
      return { message_id: messageId };
    });
  }

  sendFile(chatId: number, file: CardFile, options: SendOptions = {}): Promise<Sent> {
    return this.#call(chatId, (signal) =>
      this.#api.sendDocument(
        chatId,
        new InputFile(Buffer.from(file.text), file.name),
        { caption: file.caption, ...replyTo(options.replyTo) },
        signal,
      ),
    );
  }

  async remove(chatId: number, messageId: number): Promise<boolean> {
    const sent = await this.#call(chatId, async (signal) => {
      await this.#api.deleteMessage(chatId, messageId, signal);
      return { message_id: messageId };
    });
    return sent.ok || sent.failure.kind === 'gone';
  }

  /** Ends the progress bar of a pressed button; too late is no harm. */
  async answer(queryId: string, text: string, alert = false): Promise<void> {
    const signal = callSignal(CALL_TIMEOUT_MS, this.#stopped);
    const other = { text: text.slice(0, 200), show_alert: alert };
    await this.#api.answerCallbackQuery(queryId, other, signal).catch(() => false);
  }

  /** A message that Telegram rejects is sent once more as plain text with the same words (ATTACKS 215). */
  async #withEntities(message: Message, call: (entities: object) => Promise<Sent>): Promise<Sent> {
    const sent = await call({ entities: message.entities });
    if (sent.ok || sent.failure.kind !== 'rejected' || message.entities.length === 0) return sent;
    return call({});
  }

  async #call(
    chatId: number,
    call: (signal: GrammySignal) => Promise<Readonly<{ message_id: number }>>,
  ): Promise<Sent> {
    const waitMs = (this.#notBefore.get(chatId) ?? 0) - this.#clock.monotonicMs();
    if (waitMs > 0) {
      const text = 'this chat was told to slow down';
      return { ok: false, failure: { kind: 'later', text, retryAfterMs: waitMs } };
    }
    try {
      const signal = callSignal(CALL_TIMEOUT_MS, this.#stopped);
      return { ok: true, messageId: (await call(signal)).message_id };
    } catch (error) {
      const failure = classify(error);
      if (failure.kind === 'later' && failure.retryAfterMs !== null) {
        this.#notBefore.set(chatId, this.#clock.monotonicMs() + failure.retryAfterMs);
      }
      return { ok: false, failure };
    }
  }
}

/** The message that it answers may be gone by now; that must not stop the answer. */
const replyTo = (messageId: number | undefined): object =>
  messageId === undefined ? {} : { reply_parameters: { message_id: messageId, allow_sending_without_reply: true } };

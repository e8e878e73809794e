import { z } from 'zod';

/** What the real Bot API would refuse, with its words: limits of core.telegram.org/bots/api. */
export class BotApiRefusal extends Error {
  readonly code: number;
  readonly retryAfter: number | null;

  constructor(code: number, description: string, retryAfter: number | null = null) {
    super(description);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

export const refuse = (description: string): BotApiRefusal => new BotApiRefusal(400, `Bad Request: ${description}`);

const entityTypes = [
  'mention',
  'hashtag',
  'bot_command',
  'url',
  'email',
  'bold',
  'italic',
  'underline',
  'strikethrough',
  'spoiler',
  'blockquote',
  'expandable_blockquote',
  'code',
  'pre',
  'text_link',
] as const;

export const entitySchema = z.object({
  type: z.enum(entityTypes),
  offset: z.number().int().min(0),
  length: z.number().int().min(1),
  language: z.string().optional(),
  url: z.string().optional(),
});
export type Entity = z.infer<typeof entitySchema>;

const buttonSchema = z.object({
  text: z.string().min(1),
  callback_data: z.string().optional(),
  url: z.string().optional(),
});
export type Button = z.infer<typeof buttonSchema>;

export const markupSchema = z.union([
  z.object({ inline_keyboard: z.array(z.array(buttonSchema)) }),
  z.object({ force_reply: z.literal(true), input_field_placeholder: z.string().max(64).optional() }),
]);
export type Markup = z.infer<typeof markupSchema>;

const chatId = z.coerce.number().int();
const replyParameters = z.object({ message_id: z.number().int() }).loose().optional();

export const payloads = {
  getMe: z.object({}),
  deleteWebhook: z.object({}),
  getUpdates: z.object({
    offset: z.number().int().optional(),
    limit: z.number().int().min(1).max(100).optional(),
    timeout: z.number().int().min(0).max(50).optional(),
    allowed_updates: z.array(z.string()).optional(),
  }),
  setMyCommands: z.object({
    commands: z.array(
      z.object({ command: z.string().regex(/^[a-z0-9_]{1,32}$/), description: z.string().min(1).max(256) }),
    ),
  }),
  sendMessage: z.object({
    chat_id: chatId,
    text: z.string(),
    entities: z.array(entitySchema).optional(),
    parse_mode: z.string().optional(),
    link_preview_options: z.object({ is_disabled: z.boolean().optional() }).optional(),
    reply_markup: markupSchema.optional(),
    reply_parameters: replyParameters,
  }),
  sendDocument: z.object({
    chat_id: chatId,
    document: z.string(),
    caption: z.string().max(1024).optional(),
    caption_entities: z.array(entitySchema).optional(),
    reply_parameters: replyParameters,
  }),
  editMessageText: z.object({
    chat_id: chatId,
    message_id: z.coerce.number().int(),
    text: z.string(),
    entities: z.array(entitySchema).optional(),
    parse_mode: z.string().optional(),
    reply_markup: markupSchema.optional(),
  }),
  editMessageReplyMarkup: z.object({
    chat_id: chatId,
    message_id: z.coerce.number().int(),
    reply_markup: markupSchema.optional(),
  }),
  deleteMessage: z.object({ chat_id: chatId, message_id: z.coerce.number().int() }),
  answerCallbackQuery: z.object({
    callback_query_id: z.string(),
    text: z.string().max(200).optional(),
    show_alert: z.boolean().optional(),
  }),
} as const;

export type Method = keyof typeof payloads;
export const isMethod = (name: string): name is Method => Object.hasOwn(payloads, name);

/** Text and entities as the server keeps them. UTF-16 units throughout, like the real one. */
export function checkText(text: string, entities: readonly Entity[]): void {
  if (text.trim() === '') throw refuse('message text is empty');
  if (text.length > 4096) throw refuse('message is too long');
  for (const entity of entities) {
    const end = entity.offset + entity.length;
    if (end > text.length) throw refuse(`entity beginning at ${entity.offset} ends after the end of the text`);
    if (splitsPair(text, entity.offset) || splitsPair(text, end)) {
      throw refuse(`entity beginning at ${entity.offset} splits a character`);
    }
  }
}

const splitsPair = (text: string, index: number): boolean =>
  index > 0 && /[\ud800-\udbff]/.test(text[index - 1] ?? '') && /[\udc00-\udfff]/.test(text[index] ?? '');

/** Buttons of an inline keyboard; callback data is 1 to 64 bytes. */
export function checkMarkup(markup: Markup | undefined): readonly (readonly Button[])[] {
  if (markup === undefined || !('inline_keyboard' in markup)) return [];
  for (const button of markup.inline_keyboard.flat()) {
    const bytes = Buffer.byteLength(button.callback_data ?? '');
    if (button.url === undefined && (bytes < 1 || bytes > 64)) throw refuse('BUTTON_DATA_INVALID');
  }
  return markup.inline_keyboard;
}

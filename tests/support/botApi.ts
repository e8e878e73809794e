import { randomBytes, randomInt } from 'node:crypto';
import http from 'node:http';
import { BotApiChats, type BotFile, type ChatMessage } from './botApiChats.ts';
import { readBody, readPayload } from './botApiPayload.ts';
import { BotApiRefusal, isMethod, type Method, payloads, refuse } from './botApiRules.ts';
import { BotApiUpdates } from './botApiUpdates.ts';

/**
 * A Bot API server on loopback that behaves like the real one as far as this project uses it: the same limits, the same
 * refusals, long polling. It keeps everything that passed. Needs nothing but Node and zod.
 */
export type ApiCall = Readonly<{ method: string; payload: Readonly<Record<string, unknown>>; answer: unknown }>;

/**
 * How the next calls of one method go wrong. `drop` closes the connection without an answer, `page` answers with
 * something that is not JSON, as a proxy in between would.
 */
export type Trouble = Readonly<{
  method: Method | '*';
  times: number;
  status: number | 'drop' | 'page';
  description?: string;
  retryAfter?: number;
}>;

export type TapAnswer = Readonly<{ text: string; alert: boolean }>;
/** `about`: a part of the message's text; an earlier message may keep its buttons for a moment. */
type Bot = Readonly<{ id: number; token: string; updates: BotApiUpdates }>;
type Where = Readonly<{ chatId?: number; messageId?: number; about?: string }>;

export type BotApi = Readonly<{
  /** For TELEGRAM_API_ROOT. */
  root: string;
  /** For TELEGRAM_BOT_TOKEN. */
  token: string;
  botId: number;
  /** Another bot in the same chats, as after a new token from BotFather: its token. It cannot edit what others sent. */
  addBot(): string;
  calls(method?: Method): readonly ApiCall[];
  /** All bytes that went either way, for a search of what must not be in them. */
  traffic(): string;
  /** Messages of a chat as they stand now, oldest first, deleted ones left out. */
  messages(chatId: number): readonly ChatMessage[];
  deleted(chatId: number): readonly ChatMessage[];
  /** Presses the newest button with this label in the chat (default: private chat of the user), waits for the answer. */
  tap(label: string, fromId: number, where?: Where): Promise<TapAnswer>;
  /** A callback with any data, as an altered client could send it. */
  tapData(data: string, fromId: number, where: Readonly<{ chatId: number; messageId: number }>): Promise<TapAnswer>;
  /** A text of a user to the bot; returns its message id. */
  say(text: string, fromId: number, where?: Readonly<{ chatId?: number; replyTo?: number }>): number;
  /** Any update, for example one of a kind that the bot does not expect. */
  push(update: Readonly<Record<string, unknown>>): number;
  /** Delivers the last `count` updates once more with the ids they had, whatever offset the bot asks for. */
  repeat(count: number): void;
  /** The next update gets this id, as after a week of silence. */
  restartIds(from: number): void;
  trouble(trouble: Trouble): void;
  endTroubles(): void;
  /** Calls of this method wait from now on until the answer of this is called. */
  hold(method: Method): () => void;
  /** Answers 401 to everything, as after a revoked token. */
  refuseToken(refused: boolean): void;
  /** The user never started the bot, or blocked it. */
  blockChat(chatId: number): void;
  waitFor<T>(what: () => T | null | undefined | false, timeoutMs?: number): Promise<T>;
  close(): Promise<void>;
}>;

/** Starts on a free port. Close it after the test. */
export async function startBotApi(): Promise<BotApi> {
  const bots = new Map<string, Bot>();
  const addBot = (): Bot => {
    const id = randomInt(100_000_000, 999_999_999);
    const token = `${id}:${randomBytes(26).toString('base64url').slice(0, 35)}`;
    const bot = { id, token, updates: new BotApiUpdates() };
    bots.set(token, bot);
    return bot;
  };
  const first = addBot();
  let newest = first;
  const chats = new BotApiChats();
  const calls: ApiCall[] = [];
  const wire: string[] = [];
  const held = new Map<string, Promise<void>>();
  const troubles: { left: number; trouble: Trouble }[] = [];
  const waiters = new Set<() => void>();
  const taps = new Map<string, (answer: TapAnswer) => void>();
  let tokenRefused = false;

  const changed = (): void => {
    for (const waiter of [...waiters]) waiter();
  };

  const waitFor = <T>(what: () => T | null | undefined | false, timeoutMs = 10_000): Promise<T> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const found = what();
        if (found === null || found === undefined || found === false) return;
        done();
        resolve(found);
      };
      const timer = setTimeout(() => {
        done();
        reject(new Error(`the Bot API server saw nothing of: ${what.toString().slice(0, 200)}`));
      }, timeoutMs);
      // What is waited for may also be on the side of the bot.
      const again = setInterval(check, 20);
      const done = (): void => {
        clearTimeout(timer);
        clearInterval(again);
        waiters.delete(check);
      };
      waiters.add(check);
      check();
    });

  const perform = async (
    method: Method,
    raw: Readonly<Record<string, unknown>>,
    files: ReadonlyMap<string, BotFile>,
    request: http.IncomingMessage,
    bot: Bot,
  ): Promise<unknown> => {
    const parsed = payloads[method].safeParse(raw);
    if (!parsed.success) throw refuse(`can't parse ${method}: ${parsed.error.issues[0]?.path.join('.')}`);
    switch (method) {
      case 'getMe':
        return chats.bot(bot.id);
      case 'deleteWebhook':
      case 'setMyCommands':
        return true;
      case 'getUpdates':
        return bot.updates.get(payloads.getUpdates.parse(raw), request);
      case 'answerCallbackQuery': {
        const answer = payloads.answerCallbackQuery.parse(raw);
        const tap = taps.get(answer.callback_query_id);
        if (tap === undefined) throw refuse('query is too old and response timeout expired or query ID is invalid');
        taps.delete(answer.callback_query_id);
        tap({ text: answer.text ?? '', alert: answer.show_alert ?? false });
        return true;
      }
      default:
        return chats.perform(method, raw, files, bot.id);
    }
  };

  const server = http.createServer((request, response) => {
    void answerCall(request, response).catch(() => request.socket.destroy());
  });

  const answerCall = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const body = await readBody(request);
    const [, path = '', method = ''] = /^\/bot([^/]+)\/(\w+)$/.exec(request.url ?? '') ?? [];
    const { fields, files } = readPayload(body, request.headers['content-type'] ?? '');
    // The path holds the token, which has to be there and nowhere else.
    wire.push(`> ${method} ${body.toString('utf8')}`);
    const send = (status: number, answer: unknown): void => {
      const text = JSON.stringify(answer);
      wire.push(`< ${method} ${text}`);
      calls.push({ method, payload: fields, answer });
      response.writeHead(status, { 'content-type': 'application/json' }).end(text);
      changed();
    };
    try {
      const bot = bots.get(path);
      if (bot === undefined || tokenRefused) throw new BotApiRefusal(401, 'Unauthorized');
      const planned = troubles.find((entry) => entry.trouble.method === method || entry.trouble.method === '*');
      if (planned !== undefined) {
        planned.left -= 1;
        if (planned.left <= 0) troubles.splice(troubles.indexOf(planned), 1);
        const { status, description, retryAfter } = planned.trouble;
        if (status === 'drop') {
          calls.push({ method, payload: fields, answer: 'dropped' });
          changed();
          request.socket.destroy();
          return;
        }
        if (status === 'page') {
          calls.push({ method, payload: fields, answer: 'page' });
          changed();
          response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Log in to the network</html>');
          return;
        }
        throw new BotApiRefusal(status, description ?? `Error ${status}`, retryAfter ?? null);
      }
      await held.get(method);
      if (!isMethod(method)) throw new BotApiRefusal(404, 'Not Found: method not found');
      send(200, { ok: true, result: await perform(method, fields, files, request, bot) });
    } catch (error) {
      if (!(error instanceof BotApiRefusal)) throw error;
      const parameters = error.retryAfter === null ? {} : { parameters: { retry_after: error.retryAfter } };
      send(error.code, { ok: false, error_code: error.code, description: error.message, ...parameters });
    }
  };

  const tapData: BotApi['tapData'] = (data, fromId, { chatId, messageId }) => {
    const id = String(randomInt(1, 2 ** 47));
    const message = chats.raw(chatId, messageId);
    const answered = new Promise<TapAnswer>((resolve, reject) => {
      const timer = setTimeout(() => {
        taps.delete(id);
        reject(new Error(`nobody answered the tap of ${fromId}`));
      }, 10_000);
      taps.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
    const bot = [...bots.values()].find(({ id: botId }) => botId === chats.senderOf(chatId, messageId)) ?? newest;
    bot.updates.push({
      callback_query: { id, from: chats.user(fromId), chat_instance: String(chatId), data, message },
    });
    return answered;
  };

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  return {
    root: `http://127.0.0.1:${port}`,
    token: first.token,
    botId: first.id,
    addBot: () => {
      newest = addBot();
      return newest.token;
    },
    calls: (method) => (method === undefined ? calls : calls.filter((call) => call.method === method)),
    traffic: () => {
      const history = [...bots.values()].flatMap(({ updates }) => updates.history);
      return [...wire, ...history.map((update) => JSON.stringify(update))].join('\n');
    },
    messages: (chatId) => chats.messages(chatId),
    deleted: (chatId) => chats.deleted(chatId),
    tap: async (label, fromId, where = {}) => {
      const chatId = where.chatId ?? fromId;
      const { message, data } = await waitFor(() => chats.findButton(label, chatId, where));
      return tapData(data, fromId, { chatId, messageId: message.messageId });
    },
    tapData,
    say: (text, fromId, where = {}) => {
      const message = chats.said(text, fromId, where.chatId ?? fromId, where.replyTo ?? null);
      newest.updates.push({ message });
      return message.message_id;
    },
    push: (update) => newest.updates.push(update),
    repeat: (count) => newest.updates.repeat(count),
    restartIds: (from) => newest.updates.restartIds(from),
    trouble: (trouble) => {
      troubles.push({ left: trouble.times, trouble });
      // A poll that waits already belongs to the time before.
      if (trouble.method === 'getUpdates' || trouble.method === '*') newest.updates.interrupt();
    },
    endTroubles: () => {
      troubles.length = 0;
    },
    hold: (method) => {
      let release = (): void => {};
      held.set(
        method,
        new Promise((resolve) => {
          release = resolve;
        }),
      );
      return () => {
        held.delete(method);
        release();
      };
    },
    refuseToken: (refused) => {
      tokenRefused = refused;
      newest.updates.interrupt();
    },
    blockChat: (chatId) => chats.block(chatId),
    waitFor,
    close: () =>
      new Promise((resolve) => {
        newest.updates.interrupt();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

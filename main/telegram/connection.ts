import { type Bot, GrammyError, HttpError } from 'grammy';
import type { BotCommand, Update, UserFromGetMe } from 'grammy/types';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Records } from '../core/records.ts';
import { classify, type Failure } from './apiError.ts';
import { type Backoff, backoffMs, pause } from './backoff.ts';
import { callSignal } from './signal.ts';
import { UpdateLog } from './updateLog.ts';

export type ConnectionPorts = Readonly<{
  bot: Bot;
  records: Pick<Records, 'state' | 'setState'>;
  clock: Clock;
  log: Log;
  backoff: Backoff;
  commands: readonly BotCommand[];
  stopped: AbortSignal;
  /** An update that was taken before came again. */
  replayed: (update: Update) => void;
  /** What to do about a token that Telegram refuses. */
  tokenHint: string;
  /** It was connected and is not any more, or the other way round. */
  changed: () => void;
}>;

const POLL_SECONDS = 30;
const notAskedYet = 'not connected yet';
const PROBE_TIMEOUT_MS = 3000;
/** A wrong token does not heal by itself; asking again now and then notices when BotFather gave the bot back. */
const UNAUTHORIZED_RETRY_MS = 60_000;
const CONFLICT_RETRY_MS = 10_000;
/** Health checks within this time after an answer, good or bad, do not ask again. */
const PROBE_MEMORY_MS = 5000;

/**
 * Long polling. Not grammY's own loop: that one gives up on a wrong token, takes updates one after the other, and
 * prints network errors, which hold the token, through the `debug` package.
 */
export class Connection {
  readonly #ports: ConnectionPorts;
  readonly #inFlight = new Set<Promise<void>>();
  #me: UserFromGetMe | null = null;
  #problem: string | null = notAskedYet;
  #answeredAtMs = Number.NEGATIVE_INFINITY;
  #probing: Promise<void> | null = null;
  #loop: Promise<void> = Promise.resolve();

  constructor(ports: ConnectionPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Resolves when the loop and every update that is being handled ended; `stopped` has to be aborted before. */
  async ended(): Promise<void> {
    await this.#loop;
    await Promise.all(this.#inFlight);
  }

  /** Asks Telegram unless it answered just now. */
  async status(): Promise<'connected' | 'disconnected'> {
    if (this.#ports.clock.monotonicMs() - this.#answeredAtMs > PROBE_MEMORY_MS) {
      this.#probing ??= this.#probe().finally(() => {
        this.#probing = null;
      });
      await this.#probing;
    }
    return this.#problem === null ? 'connected' : 'disconnected';
  }

  /** Why it is disconnected, for a person; null also while the first answer is still on its way. */
  get problem(): string | null {
    return this.#problem === notAskedYet ? null : this.#problem;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#ports.stopped.aborted) {
      try {
        const updates = await this.#poll();
        failures = 0;
        this.#up();
        for (const update of updates) this.#take(update);
      } catch (error) {
        if (this.#ports.stopped.aborted) return;
        failures += 1;
        const failure = classify(error);
        this.#down(failure);
        await pause(this.#waitMs(failure, failures), this.#ports.stopped);
      }
    }
  }

  async #poll(): Promise<readonly Update[]> {
    const { bot, records, clock, stopped } = this.#ports;
    const me = this.#me ?? (await this.#introduce());
    const offset = new UpdateLog(records, me.id, clock).offset();
    const options = { timeout: POLL_SECONDS, allowed_updates: ['message', 'callback_query'] as const };
    const signal = callSignal((POLL_SECONDS + 15) * 1000, stopped);
    return bot.api.getUpdates(offset === undefined ? options : { ...options, offset }, signal);
  }

  async #introduce(): Promise<UserFromGetMe> {
    const { bot, commands, stopped, log } = this.#ports;
    const me = await bot.api.getMe(callSignal(15_000, stopped));
    bot.botInfo = me;
    this.#up();
    // A webhook that was set elsewhere would keep updates from us.
    await bot.api.deleteWebhook({}, callSignal(15_000, stopped));
    await bot.api.setMyCommands(commands, {}, callSignal(15_000, stopped)).catch((error: unknown) => {
      log.warn({ failure: classify(error).text }, 'Telegram did not take the list of commands');
    });
    this.#me = me;
    return me;
  }

  /** Each update on its own: a slow one must not hold up the next tap (ATTACKS 204). */
  #take(update: Update): void {
    const { bot, records, clock, log, replayed } = this.#ports;
    if (this.#me === null) return;
    if (!new UpdateLog(records, this.#me.id, clock).take(update.update_id)) {
      replayed(update);
      return;
    }
    const handling = bot.handleUpdate(update).catch((error: unknown) => {
      const cause = error instanceof Error && 'error' in error ? error.error : error;
      log.error({ update: update.update_id, cause: causeText(cause) }, 'a Telegram update failed');
    });
    this.#inFlight.add(handling);
    void handling.finally(() => this.#inFlight.delete(handling));
  }

  async #probe(): Promise<void> {
    try {
      await this.#ports.bot.api.getMe(callSignal(PROBE_TIMEOUT_MS, this.#ports.stopped));
      this.#up();
    } catch (error) {
      this.#down(classify(error));
    }
  }

  #up(): void {
    this.#answeredAtMs = this.#ports.clock.monotonicMs();
    if (this.#problem === null) return;
    this.#ports.log.info({}, 'Telegram is connected');
    this.#problem = null;
    this.#ports.changed();
  }

  #down(failure: Failure): void {
    this.#answeredAtMs = this.#ports.clock.monotonicMs();
    const problem = problemText(failure, this.#ports.tokenHint);
    if (this.#problem === problem) return;
    this.#ports.log.warn({ failure: failure.text }, problem);
    this.#problem = problem;
    this.#ports.changed();
  }

  #waitMs(failure: Failure, failures: number): number {
    if (failure.kind === 'unauthorized') return UNAUTHORIZED_RETRY_MS;
    if (failure.kind === 'conflict') return CONFLICT_RETRY_MS;
    if (failure.kind === 'later' && failure.retryAfterMs !== null) return failure.retryAfterMs;
    return backoffMs(this.#ports.backoff, failures);
  }
}

function problemText(failure: Failure, tokenHint: string): string {
  if (failure.kind === 'unauthorized') return `Telegram refuses the bot token; ${tokenHint}`;
  if (failure.kind === 'conflict') return 'another program polls with the same bot token; stop it or make a new bot';
  if (failure.kind === 'later' && failure.text.startsWith('network:'))
    return `Telegram cannot be reached (${failure.text})`;
  return `Telegram answers with an error (${failure.text})`;
}

/** What may be logged of an error in a handler: never the message of a network error, which may hold the token. */
function causeText(cause: unknown): string {
  if (cause instanceof GrammyError || cause instanceof HttpError) return classify(cause).text;
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : 'unknown';
}

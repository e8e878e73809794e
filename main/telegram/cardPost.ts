import { createHash } from 'node:crypto';
import type { Card, CardOutcome } from '../../contract/card.ts';
import type { Log } from '../core/log.ts';
import type { Failure } from './apiError.ts';
import { type Backoff, backoffMs, pause } from './backoff.ts';
import type { Buttons } from './buttons.ts';
import { cardMessage, outcomeMessage } from './cardMessage.ts';
import { keyboardOf, type Step } from './keyboard.ts';
import type { Outbox, Sent } from './outbox.ts';

/** Where a card stands in one chat: its message, and the file with its code if there is one. */
export type Place = Readonly<{ messageId: number | null; fileId: number | null; fileHash: string | null }>;

export type PostPorts = Readonly<{
  outbox: Outbox;
  buttons: Buttons;
  log: Log;
  backoff: Backoff;
  stopped: AbortSignal;
  /** Called after each message that was sent, so that a restart finds it. */
  placed: () => void;
}>;

type Wanted =
  | Readonly<{ kind: 'card'; card: Card; step: Step }>
  | Readonly<{ kind: 'outcome'; outcome: CardOutcome; card: Card | null }>;
type Attempt = Readonly<{ kind: 'done' | 'hopeless' }> | Readonly<{ kind: 'later'; retryAfterMs: number | null }>;

/**
 * One card in one chat. It is told what should be seen there and works until that is so, however often Telegram fails;
 * what is wanted last is what counts, so a card that ended meanwhile never appears with buttons.
 */
export class CardPost {
  readonly #chatId: number;
  readonly #ports: PostPorts;
  #place: Place;
  #wanted: Wanted | null = null;
  #wantedVersion = 0;
  #doneVersion = 0;
  #working = false;
  #retry = new AbortController();
  #waiting: ((delivered: boolean) => void)[] = [];

  constructor(chatId: number, place: Place, ports: PostPorts) {
    this.#chatId = chatId;
    this.#place = place;
    this.#ports = ports;
  }

  get place(): Place {
    return this.#place;
  }

  get card(): Card | null {
    return this.#wanted?.card ?? null;
  }

  /** Resolves after the first attempt: whether it is seen now. The attempts go on in the background. */
  showCard(card: Card, step: Step = 'main'): Promise<boolean> {
    return this.#want({ kind: 'card', card, step });
  }

  showOutcome(outcome: CardOutcome): Promise<boolean> {
    return this.#want({ kind: 'outcome', outcome, card: this.card });
  }

  /** Changes the keyboard of a card that is there; nothing if it ended. */
  showStep(step: Step): Promise<boolean> {
    const wanted = this.#wanted;
    return wanted?.kind === 'card' ? this.showCard(wanted.card, step) : Promise.resolve(false);
  }

  #want(wanted: Wanted): Promise<boolean> {
    this.#wanted = wanted;
    this.#wantedVersion += 1;
    const first = new Promise<boolean>((resolve) => this.#waiting.push(resolve));
    if (this.#working) this.#retry.abort();
    else void this.#work();
    return first;
  }

  async #work(): Promise<void> {
    this.#working = true;
    let failures = 0;
    while (this.#doneVersion !== this.#wantedVersion && this.#wanted !== null && !this.#ports.stopped.aborted) {
      const version = this.#wantedVersion;
      const waiting = this.#waiting.splice(0);
      this.#retry = new AbortController();
      const attempt = await this.#attempt(this.#wanted).catch((error: unknown) => this.#brokeDown(error));
      for (const tell of waiting) tell(attempt.kind === 'done');
      if (attempt.kind === 'later') {
        failures += 1;
        const ms = attempt.retryAfterMs ?? backoffMs(this.#ports.backoff, failures);
        await pause(ms, AbortSignal.any([this.#ports.stopped, this.#retry.signal]));
      } else {
        failures = 0;
        this.#doneVersion = version;
      }
    }
    this.#working = false;
    for (const tell of this.#waiting.splice(0)) tell(false);
  }

  async #attempt(wanted: Wanted): Promise<Attempt> {
    if (wanted.kind === 'outcome') return this.#attemptOutcome(wanted.outcome, wanted.card);
    const { message, file } = cardMessage(wanted.card);
    if (file !== null) {
      const hash = createHash('sha256').update(`${file.text}\n${file.caption}`).digest('hex');
      if (this.#place.fileHash !== hash) {
        const sent = await this.#ports.outbox.sendFile(this.#chatId, file);
        // No buttons before the whole code is in the chat (ATTACKS 213).
        if (!sent.ok) return this.#failed(sent.failure);
        this.#put({ fileId: sent.messageId, fileHash: hash });
      }
    }
    const buttons = this.#ports.buttons.make(wanted.card, keyboardOf(wanted.card, wanted.step), this.#chatId);
    const { messageId, fileId } = this.#place;
    const options = file === null || fileId === null ? { buttons } : { buttons, replyTo: fileId };
    const sent =
      messageId === null
        ? await this.#ports.outbox.send(this.#chatId, message, options)
        : await this.#ports.outbox.edit(this.#chatId, messageId, message, buttons);
    return this.#arrived(sent);
  }

  async #attemptOutcome(outcome: CardOutcome, card: Card | null): Promise<Attempt> {
    const { messageId } = this.#place;
    if (messageId === null) return { kind: 'done' };
    const sent = await this.#ports.outbox.edit(this.#chatId, messageId, outcomeMessage(outcome, card));
    if (!sent.ok && sent.failure.kind === 'gone') return { kind: 'done' };
    return this.#arrived(sent);
  }

  /** The store did not take a nonce or a place; nobody was shown a button that means nothing. */
  #brokeDown(error: unknown): Attempt {
    this.#ports.log.error({ error: error instanceof Error ? error.message : 'unknown' }, 'a card could not be stored');
    return { kind: 'later', retryAfterMs: null };
  }

  #arrived(sent: Sent): Attempt {
    if (sent.ok) {
      if (this.#place.messageId !== sent.messageId) this.#put({ messageId: sent.messageId });
      return { kind: 'done' };
    }
    if (sent.failure.kind === 'unmodified') return { kind: 'done' };
    if (sent.failure.kind === 'gone') {
      // The owner deleted the message: the card comes as a new one.
      this.#place = { ...this.#place, messageId: null };
      return { kind: 'later', retryAfterMs: 0 };
    }
    return this.#failed(sent.failure);
  }

  #failed(failure: Failure): Attempt {
    this.#ports.log.warn({ chat: this.#chatId, failure: failure.text }, 'Telegram did not take a card');
    if (failure.kind === 'forbidden' || failure.kind === 'rejected' || failure.kind === 'gone')
      return { kind: 'hopeless' };
    return { kind: 'later', retryAfterMs: failure.kind === 'later' ? failure.retryAfterMs : null };
  }

  #put(change: Partial<Place>): void {
    this.#place = { ...this.#place, ...change };
    this.#ports.placed();
  }
}

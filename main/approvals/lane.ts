import type { Card, CardOutcome } from '../../contract/card.ts';
import type { Log } from '../core/log.ts';
import type { CardReference, Channel } from './channel.ts';

/**
 * One card on one channel. Its operations run one after the other, so that a card is never closed before it was shown;
 * cards and channels do not wait for each other.
 */
export class Lane {
  readonly channel: Channel;
  readonly #log: Log;
  #tail: Promise<void> = Promise.resolve();
  #reference: CardReference | null;
  #reached = false;
  #left = false;

  constructor(channel: Channel, reference: CardReference | null, log: Log) {
    this.channel = channel;
    this.#reference = reference;
    this.#log = log;
  }

  get reached(): boolean {
    return this.#reached;
  }

  /** The channel is gone: nothing more is asked of it, and where it put the card is not kept. */
  leave(): void {
    this.#left = true;
  }

  /** `card` is asked when its turn comes, so that what is shown is what is true then; null: nothing to show any more. */
  show(card: () => Card | null, keep: (reference: CardReference) => void): Promise<void> {
    return this.#enqueue(async () => {
      const current = card();
      if (current === null) return;
      const shown = await this.channel.show(current, this.#reference);
      this.#reached = shown.reached;
      if (shown.reference === undefined || this.#left) return;
      this.#reference = shown.reference;
      keep(shown.reference);
    });
  }

  update(card: () => Card | null): Promise<void> {
    return this.#enqueue(async () => {
      const current = card();
      if (current !== null) await this.channel.update(current, this.#reference);
    });
  }

  close(card: Pick<Card, 'subject' | 'id'>, outcome: CardOutcome): Promise<void> {
    return this.#enqueue(() => this.channel.close(card, outcome, this.#reference));
  }

  #enqueue(operation: () => Promise<void>): Promise<void> {
    this.#tail = this.#tail
      .then(() => (this.#left ? undefined : operation()))
      .catch((error: unknown) => {
        // A channel that rejects breaks its contract; the other channels and the decision must not suffer for it.
        this.#log.error({ channel: this.channel.name, error: describe(error) }, 'a channel failed');
      });
    return this.#tail;
  }
}

const describe = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : 'unknown');

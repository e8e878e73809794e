import type { Card, CardOutcome } from '../../contract/card.ts';
import type { Subject } from '../../contract/states.ts';
import type { CardReference, Channel } from '../approvals/channel.ts';
import type { Records } from '../core/records.ts';
import { CardPost, type Place, type PostPorts } from './cardPost.ts';
import type { Step } from './keyboard.ts';

export type TelegramChannelPorts = Omit<PostPorts, 'placed'> &
  Readonly<{
    records: Pick<Records, 'saveCard' | 'removeNonces'>;
    clock: Readonly<{ wallMs(): number }>;
    /** Messages are this bot's own: what another bot sent cannot be edited. */
    botId: number;
    /** Private chats of the approvers and the groups. */
    chats: readonly number[];
  }>;

/** Ended cards are remembered for a while: an old button may still be pressed on a message that was not edited yet. */
const KEEP_ENDED = 200;

/** Cards in Telegram: the same card in every configured chat, each with buttons of its own. */
export class TelegramChannel implements Channel {
  readonly name = 'telegram';
  readonly #ports: TelegramChannelPorts;
  readonly #posts = new Map<string, ReadonlyMap<number, CardPost>>();
  readonly #outcomes = new Map<string, CardOutcome>();

  constructor(ports: TelegramChannelPorts) {
    this.#ports = ports;
  }

  async show(card: Card, reference: CardReference | null): Promise<{ reached: boolean; reference?: CardReference }> {
    const posts = this.#postsOf(card, reference);
    const delivered = await Promise.all([...posts.values()].map((post) => post.showCard(card)));
    const placed = referenceOf(posts, this.#ports.botId);
    const reached = delivered.includes(true);
    return placed === null ? { reached } : { reached, reference: placed };
  }

  async update(card: Card, reference: CardReference | null): Promise<void> {
    const posts = this.#postsOf(card, reference);
    await Promise.all([...posts.values()].map((post) => post.showCard(card)));
  }

  async close(
    card: Pick<Card, 'subject' | 'id'>,
    outcome: CardOutcome,
    reference: CardReference | null,
  ): Promise<void> {
    const key = keyOf(card.subject, card.id);
    const posts = this.#postsOf(card, reference);
    this.#outcomes.set(key, outcome);
    this.#forgetOldest();
    const closed = await Promise.all([...posts.values()].map((post) => post.showOutcome(outcome)));
    // While a message still has its buttons, a press has to find out how the card ended.
    if (!closed.includes(false)) this.#forgetButtons(card);
  }

  /** How the card ended, as far as this process saw it. */
  outcome(subject: Subject, id: string): CardOutcome | null {
    return this.#outcomes.get(keyOf(subject, id)) ?? null;
  }

  /** What this very message is: a card that waits, one that ended (how), or nothing that this process knows. */
  standing(chatId: number, messageId: number): 'waits' | CardOutcome | null {
    const found = [...this.#posts].find(([, posts]) => posts.get(chatId)?.place.messageId === messageId);
    return found === undefined ? null : (this.#outcomes.get(found[0]) ?? 'waits');
  }

  /** Changes the keyboard of one message. */
  async step(subject: Subject, id: string, chatId: number, step: Step): Promise<void> {
    await this.#posts.get(keyOf(subject, id))?.get(chatId)?.showStep(step);
  }

  /** Sends a card again where its message was deleted. */
  async again(card: Card, chatId: number): Promise<void> {
    await this.#posts.get(keyOf(card.subject, card.id))?.get(chatId)?.showCard(card);
  }

  /** Cards that wait lose their buttons in these chats, which get none any more. Never rejects. */
  async retire(chats: ReadonlySet<number>): Promise<void> {
    const waiting = [...this.#posts].filter(([key]) => !this.#outcomes.has(key)).flatMap(([, posts]) => [...posts]);
    await Promise.all(
      waiting.map(async ([chatId, { place }]) => {
        if (place.messageId === null || !chats.has(chatId)) return;
        await this.#ports.outbox.dropButtons(chatId, place.messageId);
      }),
    );
  }

  #postsOf(card: Pick<Card, 'subject' | 'id'>, reference: CardReference | null): ReadonlyMap<number, CardPost> {
    const key = keyOf(card.subject, card.id);
    const known = this.#posts.get(key);
    if (known !== undefined) return known;
    const placed = (): void => {
      // Also when a card got through long after `show` answered.
      const row = { subject: card.subject, subjectId: card.id, channel: this.name };
      const reference = this.#ports.stopped.aborted ? null : referenceOf(posts, this.#ports.botId);
      if (reference === null || this.#outcomes.has(key)) return;
      this.#ports.records.saveCard({ ...row, reference }, this.#ports.clock.wallMs());
    };
    const kept = reference?.bot === this.#ports.botId ? reference : null;
    const posts: ReadonlyMap<number, CardPost> = new Map(
      this.#ports.chats.map((chatId) => [
        chatId,
        new CardPost(chatId, placeIn(kept, chatId), { ...this.#ports, placed }),
      ]),
    );
    this.#posts.set(key, posts);
    return posts;
  }

  #forgetButtons(card: Pick<Card, 'subject' | 'id'>): void {
    try {
      this.#ports.records.removeNonces(card.subject, card.id);
    } catch (error) {
      this.#ports.log.warn({ error: String(error) }, 'buttons of an ended card stay in the database');
    }
  }

  #forgetOldest(): void {
    for (const key of [...this.#outcomes.keys()].slice(0, -KEEP_ENDED)) {
      this.#outcomes.delete(key);
      this.#posts.delete(key);
    }
  }
}

const keyOf = (subject: Subject, id: string): string => `${subject} ${id}`;

function placeIn(reference: CardReference | null, chatId: number): Place {
  const messageId = reference?.[`message ${chatId}`];
  const fileId = reference?.[`file ${chatId}`];
  const fileHash = reference?.[`hash ${chatId}`];
  return {
    messageId: typeof messageId === 'number' ? messageId : null,
    fileId: typeof fileId === 'number' ? fileId : null,
    fileHash: typeof fileHash === 'string' ? fileHash : null,
  };
}

/** Null while it is nowhere. */
function referenceOf(posts: ReadonlyMap<number, CardPost>, botId: number): CardReference | null {
  const reference: Record<string, string | number> = {};
  for (const [chatId, { place }] of posts) {
    if (place.messageId !== null) reference[`message ${chatId}`] = place.messageId;
    if (place.fileId !== null) reference[`file ${chatId}`] = place.fileId;
    if (place.fileHash !== null) reference[`hash ${chatId}`] = place.fileHash;
  }
  return Object.keys(reference).length === 0 ? null : { ...reference, bot: botId };
}

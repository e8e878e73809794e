import type { Card, CardOutcome } from '../../contract/card.ts';
import type { Settings } from '../../contract/settings.ts';
import type { Subject, Verdict } from '../../contract/states.ts';
import type { CardReference, Channel, Desk } from '../approvals/channel.ts';
import type { Log } from '../core/log.ts';
import type { NotificationRequest, Notifier } from './notifier.ts';
import { noticeText, notificationText } from './text.ts';

export type NotificationPorts = Readonly<{
  notifier: Notifier;
  desk: Pick<Desk, 'decide' | 'card'>;
  /** Brings exactly this card in front of the owner. */
  openCard: (subject: Subject, id: string) => void;
  /** Setting `notify.cards`; what was shown before is still followed to its end. */
  isOn: () => boolean;
  /** Setting `notify.run_once`. */
  runOnce: () => Settings['notify.run_once'];
  random: (bytes: number) => Uint8Array;
  log: Log;
}>;

type Meaning = Readonly<{ kind: 'review' }> | Readonly<{ kind: 'decide'; verdict: Verdict; revision: string }>;

/** A card as it stands in the notification area. `id` null: it is not there, dismissed or never shown. */
type Entry = { card: Card; id: number | null; dismissed: boolean; meanings: ReadonlyMap<string, Meaning> };

/** Native notifications: they call the owner, offer Deny and sometimes Run Once, and open the card for all else. */
export class NotificationChannel implements Channel {
  readonly name = 'notification';
  readonly #ports: NotificationPorts;
  readonly #entries = new Map<string, Entry>();

  constructor(ports: NotificationPorts) {
    this.#ports = ports;
    ports.notifier.listen({
      action: (id, key) => void this.#pressed(id, key),
      closed: (id) => this.#dismissed(id),
      restarted: () => void this.#showAllAgain(),
    });
  }

  async show(card: Card, reference: CardReference | null): Promise<{ reached: boolean; reference?: CardReference }> {
    if (!this.#ports.isOn()) return { reached: false };
    const key = keyOf(card);
    const entry = this.#entries.get(key) ?? { card, id: null, dismissed: false, meanings: new Map() };
    this.#entries.set(key, entry);
    entry.card = card;
    const capabilities = await this.#ports.notifier.capabilities();
    if (!capabilities.available) return { reached: false };
    const { session } = capabilities;
    if (entry.id === null && reference?.session === session && typeof reference.id === 'number')
      entry.id = reference.id;
    await this.#put(key, entry);
    return entry.id === null ? { reached: false } : { reached: true, reference: { id: entry.id, session } };
  }

  async update(card: Card): Promise<void> {
    const key = keyOf(card);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.card = card;
    // Whoever dismissed it knows of it; the window has the new card.
    if (!entry.dismissed) await this.#put(key, entry);
  }

  async close(
    card: Pick<Card, 'subject' | 'id'>,
    _outcome: CardOutcome,
    reference: CardReference | null,
  ): Promise<void> {
    const entry = this.#entries.get(keyOf(card));
    this.#entries.delete(keyOf(card));
    const id = entry === undefined ? await this.#idBefore(reference) : entry.id;
    if (id !== null) await this.#ports.notifier.close(id);
  }

  /** Tells something that asks nothing. */
  async notice(text: string): Promise<void> {
    const request = { actions: [], defaultKey: null, urgency: 'normal', replaces: null } as const;
    await this.#ports.notifier.show({ title: 'OAuth3', body: noticeText(text), ...request });
  }

  /** The id that was kept before a restart of the app, if the service still is the one that gave it. */
  async #idBefore(reference: CardReference | null): Promise<number | null> {
    if (reference === null || typeof reference.id !== 'number') return null;
    const capabilities = await this.#ports.notifier.capabilities();
    return capabilities.available && capabilities.session === reference.session ? reference.id : null;
  }

  async #put(key: string, entry: Entry): Promise<void> {
    const { request, meanings } = this.#compose(entry);
    entry.meanings = meanings;
    const id = await this.#ports.notifier.show(request);
    entry.id = id;
    entry.dismissed = false;
    // It ended while it was being shown.
    if (id !== null && this.#entries.get(key) !== entry) await this.#ports.notifier.close(id);
  }

  #compose(entry: Entry): Readonly<{ request: NotificationRequest; meanings: ReadonlyMap<string, Meaning> }> {
    const { card } = entry;
    const { title, body, complete } = notificationText(card);
    const choices: (readonly [string, Meaning])[] = [['Review', { kind: 'review' }]];
    if (complete && this.#mayRunOnce(card)) choices.push(['Run Once', this.#decision(card, 'once')]);
    if (card.verdicts.includes('deny')) choices.push(['Deny', this.#decision(card, 'deny')]);
    const keyed = choices.map(([label, meaning]) => ({ key: this.#nonce(), label, meaning }));
    const actions = keyed.map(({ key, label }) => ({ key, label }));
    const defaultKey = actions[0]?.key ?? null;
    return {
      request: { title, body, actions, defaultKey, urgency: 'critical', replaces: entry.id },
      meanings: new Map(keyed.map(({ key, meaning }) => [key, meaning])),
    };
  }

  #mayRunOnce(card: Card): boolean {
    const setting = this.#ports.runOnce();
    return card.verdicts.includes('once') && (setting === 'always' || (setting === 'seen' && card.seenBefore));
  }

  #decision(card: Card, verdict: Verdict): Meaning {
    return { kind: 'decide', verdict, revision: card.revision };
  }

  #nonce(): string {
    return Buffer.from(this.#ports.random(16)).toString('hex');
  }

  async #pressed(id: number, key: string): Promise<void> {
    const entry = this.#entryOf(id);
    const meaning = entry?.meanings.get(key);
    if (entry === undefined || meaning === undefined) {
      this.#ports.log.warn({ id }, 'a notification action that is not on offer was ignored');
      return;
    }
    // One answer per notification: a second click finds nothing (ATTACKS 205).
    entry.meanings = new Map();
    const { subject, id: subjectId } = entry.card;
    if (meaning.kind === 'review') {
      this.#ports.openCard(subject, subjectId);
      return;
    }
    const { verdict, revision } = meaning;
    const result = await this.#ports.desk.decide({ subject, id: subjectId, revision, verdict, principal: 'desktop' });
    if (!result.ok && this.#ports.desk.card(subject, subjectId) !== null) this.#ports.openCard(subject, subjectId);
  }

  #dismissed(id: number): void {
    const entry = this.#entryOf(id);
    if (entry === undefined) return;
    entry.id = null;
    entry.dismissed = true;
    entry.meanings = new Map();
  }

  async #showAllAgain(): Promise<void> {
    for (const [key, entry] of this.#entries) {
      entry.id = null;
      entry.meanings = new Map();
      if (!entry.dismissed) await this.#put(key, entry);
    }
  }

  #entryOf(id: number): Entry | undefined {
    return [...this.#entries.values()].find((entry) => entry.id === id);
  }
}

const keyOf = (card: Pick<Card, 'subject' | 'id'>): string => `${card.subject} ${card.id}`;

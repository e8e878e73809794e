import type { Card, CardOutcome } from '../../contract/card.ts';
import type { Subject } from '../../contract/states.ts';
import type { CardRow } from '../core/records.ts';
import type { CardReference, Channel, DecisionResult, OwnerDecision, SubjectHandler } from './channel.ts';

/** For tests: cards in memory, decided by the rules that every real handler keeps. */
export class FakeHandler implements SubjectHandler {
  readonly subject: Subject;
  readonly decisions: OwnerDecision[] = [];
  readonly #cards = new Map<string, Card>();
  readonly #outcomes = new Map<string, CardOutcome>();

  constructor(subject: Subject) {
    this.subject = subject;
  }

  put(card: Card): Card {
    this.#cards.set(card.id, card);
    return card;
  }

  end(id: string, outcome: CardOutcome): void {
    this.#cards.delete(id);
    this.#outcomes.set(id, outcome);
  }

  card(id: string): Card | null {
    return this.#cards.get(id) ?? null;
  }

  waiting(): readonly string[] {
    return [...this.#cards.keys()];
  }

  decide(decision: OwnerDecision): DecisionResult {
    this.decisions.push(decision);
    const outcome = this.#outcomes.get(decision.id);
    if (outcome !== undefined) return { ok: false, reason: 'ended', text: outcome.text, outcome };
    if (!this.#cards.has(decision.id)) return { ok: false, reason: 'unknown', text: 'There is no such request.' };
    const kind = decision.verdict === 'deny' ? 'denied' : 'approved';
    const made: CardOutcome = { kind, verdict: decision.verdict, by: decision.principal, text: `${kind}.` };
    this.end(decision.id, made);
    return { ok: true, outcome: made };
  }
}

/** For tests: a channel in memory. `hold` keeps its next operation waiting, `unreachable` makes it deliver nothing. */
export class FakeChannel implements Channel {
  readonly name: Channel['name'];
  readonly log: string[] = [];
  readonly open = new Map<string, Card>();
  readonly references: (CardReference | null)[] = [];
  unreachable = false;
  #gate: Promise<void> = Promise.resolve();
  #release: () => void = () => {};

  constructor(name: Channel['name']) {
    this.name = name;
  }

  hold(): void {
    this.#gate = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  release(): void {
    this.#release();
  }

  #pass(): Promise<void> {
    const gate = this.#gate;
    this.#gate = Promise.resolve();
    return gate;
  }

  async show(card: Card, reference: CardReference | null): Promise<{ reached: boolean; reference?: CardReference }> {
    await this.#pass();
    this.references.push(reference);
    if (this.unreachable) return { reached: false };
    this.open.set(card.id, card);
    this.log.push(`show ${card.id} ${card.revision}`);
    return { reached: true, reference: reference ?? { place: this.log.length } };
  }

  async update(card: Card, reference: CardReference | null): Promise<void> {
    await this.#pass();
    this.references.push(reference);
    if (this.open.has(card.id)) this.open.set(card.id, card);
    this.log.push(`update ${card.id} ${card.revision}`);
  }

  async close(
    card: Pick<Card, 'subject' | 'id'>,
    outcome: CardOutcome,
    reference: CardReference | null,
  ): Promise<void> {
    await this.#pass();
    this.references.push(reference);
    this.open.delete(card.id);
    this.log.push(`close ${card.id} ${outcome.kind}`);
  }
}

/** For tests: the card rows of the store. */
export class FakeCardRecords {
  rows: CardRow[] = [];

  saveCard(row: CardRow): void {
    this.rows = [...this.rows.filter((other) => !same(other, row)), row];
  }

  cards(subject: Subject, subjectId: string): readonly CardRow[] {
    return this.rows.filter((row) => row.subject === subject && row.subjectId === subjectId);
  }

  removeCards(subject: Subject, subjectId: string): void {
    this.rows = this.rows.filter((row) => row.subject !== subject || row.subjectId !== subjectId);
  }
}

const same = (a: CardRow, b: CardRow): boolean =>
  a.subject === b.subject && a.subjectId === b.subjectId && a.channel === b.channel;

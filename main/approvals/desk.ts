import type { Card, CardOutcome } from '../../contract/card.ts';
import { CodedError } from '../../contract/errors.ts';
import type { Subject } from '../../contract/states.ts';
import type { Log } from '../core/log.ts';
import type { AuditInput, Records } from '../core/records.ts';
import type { Channel, DecisionResult, Desk, OwnerDecision, SubjectHandler } from './channel.ts';
import { Lane } from './lane.ts';

export type DeskPorts = Readonly<{
  handlers: readonly SubjectHandler[];
  records: Pick<Records, 'saveCard' | 'cards' | 'removeCards'>;
  clock: Readonly<{ wallMs(): number }>;
  /** Decisions that were refused; those that counted are audited with the state change they make. */
  audit: (event: AuditInput) => void;
  log: Log;
  /** How long `open` waits to learn which channels were reached; default 1500. */
  reachWaitMs?: number;
}>;

/** A card that waits, on every channel that there is. */
type Shown = { readonly lanes: Map<Channel['name'], Lane>; ended: boolean };

/** One card per subject to every channel at once, and the one decision: the first valid one wins, the rest learn it. */
export class ApprovalDesk implements Desk {
  readonly #handlers: ReadonlyMap<Subject, SubjectHandler>;
  readonly #ports: DeskPorts;
  readonly #channels = new Map<Channel['name'], Channel>();
  readonly #shown = new Map<string, Shown>();
  #started = false;

  constructor(ports: DeskPorts) {
    this.#ports = ports;
    this.#handlers = new Map(ports.handlers.map((handler) => [handler.subject, handler]));
  }

  /** A channel that comes after `start` gets what waits already. */
  addChannel(channel: Channel): void {
    this.#channels.set(channel.name, channel);
    if (this.#started) this.#showWaiting();
  }

  /**
   * Takes a channel away: what it still wants to keep or show does not count any more. Cards that wait stay on the
   * others, and come to the channel that is added in its place.
   */
  removeChannel(channel: Channel): void {
    if (this.#channels.get(channel.name) !== channel) return;
    this.#channels.delete(channel.name);
    for (const { lanes } of this.#shown.values()) {
      lanes.get(channel.name)?.leave();
      lanes.delete(channel.name);
    }
  }

  /** After a restart: every subject that still waits is shown again, with the references that were kept. */
  start(): void {
    this.#started = true;
    this.#showWaiting();
  }

  /** Shows a card everywhere; answers after at most `reachWaitMs` which channels were reached by then. */
  async open(subject: Subject, id: string): Promise<Readonly<{ reached: readonly Channel['name'][] }>> {
    const shown = this.#show(subject, id);
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#ports.reachWaitMs ?? 1500);
    });
    await Promise.race([Promise.all(shown.map((entry) => entry.done)), patience]);
    clearTimeout(timer);
    return { reached: shown.filter(({ lane }) => lane.reached).map(({ lane }) => lane.channel.name) };
  }

  /** The card changed while it waits. */
  refresh(subject: Subject, id: string): void {
    const handler = this.#handlers.get(subject);
    const shown = this.#shown.get(keyOf(subject, id));
    if (handler === undefined || shown === undefined || shown.ended) return;
    for (const lane of shown.lanes.values()) void lane.update(() => (shown.ended ? null : handler.card(id)));
  }

  /** It ended elsewhere: expired, cancelled by its agent, withdrawn. */
  ended(subject: Subject, id: string, outcome: CardOutcome): void {
    const shown = this.#shownOf(subject, id);
    if (shown.ended) return;
    shown.ended = true;
    this.#addLanes(shown, subject, id);
    const closing = [...shown.lanes.values()].map((lane) => lane.close({ subject, id }, outcome));
    void Promise.all(closing).then(() => {
      this.#shown.delete(keyOf(subject, id));
      this.#guarded(() => this.#ports.records.removeCards(subject, id));
    });
  }

  async decide(decision: OwnerDecision): Promise<DecisionResult> {
    const result = this.#carryOut(decision);
    if (result.ok) {
      this.ended(decision.subject, decision.id, result.outcome);
      return result;
    }
    this.#guarded(() => this.#ports.audit(refusalOf(decision, result)));
    if (result.reason === 'stale') this.refresh(decision.subject, decision.id);
    return result;
  }

  waiting(): readonly Card[] {
    const cards = [...this.#handlers.values()].flatMap((handler) => handler.waiting().map((id) => handler.card(id)));
    return cards.filter((card) => card !== null).sort((a, b) => a.createdAtMs - b.createdAtMs);
  }

  card(subject: Subject, id: string): Card | null {
    return this.#handlers.get(subject)?.card(id) ?? null;
  }

  /** Synchronous from the first look at the card to the stored decision: nothing can come between. */
  #carryOut(decision: OwnerDecision): DecisionResult {
    const handler = this.#handlers.get(decision.subject);
    if (handler === undefined) return { ok: false, reason: 'unknown', text: 'There is no such request.' };
    try {
      const card = handler.card(decision.id);
      if (card !== null && card.revision !== decision.revision) {
        return { ok: false, reason: 'stale', text: 'The card changed since it was shown. Look at it again.' };
      }
      if (card !== null && !card.verdicts.includes(decision.verdict)) {
        return { ok: false, reason: 'blocked', text: 'This card cannot take that decision now.' };
      }
      return handler.decide(decision);
    } catch (error) {
      const coded = error instanceof CodedError;
      const fields = { subject: decision.subject, id: decision.id, code: coded ? error.code : String(error) };
      this.#ports.log.error(fields, 'a decision could not be carried out');
      const text = coded
        ? error.message
        : 'The decision could not be carried out because of a defect. Nothing was run.';
      return { ok: false, reason: 'blocked', text };
    }
  }

  #showWaiting(): void {
    for (const card of this.waiting()) this.#show(card.subject, card.id);
  }

  /** Puts the card on every channel that does not have it yet; asking twice shows it once. */
  #show(subject: Subject, id: string): readonly Readonly<{ lane: Lane; done: Promise<void> }>[] {
    const handler = this.#handlers.get(subject);
    // A channel that comes later gets everything that waits; until then nobody looks at a card.
    if (handler === undefined || this.#channels.size === 0 || handler.card(id) === null) return [];
    const shown = this.#shownOf(subject, id);
    const before = [...shown.lanes.values()].map((lane) => ({ lane, done: Promise.resolve() }));
    const current = (): Card | null => (shown.ended ? null : handler.card(id));
    const added = this.#addLanes(shown, subject, id).map((lane) => {
      const row = { subject, subjectId: id, channel: lane.channel.name };
      const done = lane.show(current, (reference) =>
        this.#guarded(() => this.#ports.records.saveCard({ ...row, reference }, this.#ports.clock.wallMs())),
      );
      return { lane, done };
    });
    return [...before, ...added];
  }

  #shownOf(subject: Subject, id: string): Shown {
    const key = keyOf(subject, id);
    const shown = this.#shown.get(key) ?? { lanes: new Map(), ended: false };
    this.#shown.set(key, shown);
    return shown;
  }

  /** A lane for each channel that has none; with the reference that was kept before a restart, if there is one. */
  #addLanes(shown: Shown, subject: Subject, id: string): readonly Lane[] {
    const missing = [...this.#channels.values()].filter((channel) => !shown.lanes.has(channel.name));
    if (missing.length === 0) return [];
    const rows = this.#guarded(() => this.#ports.records.cards(subject, id)) ?? [];
    return missing.map((channel) => {
      const reference = rows.find((row) => row.channel === channel.name)?.reference ?? null;
      const lane = new Lane(channel, reference, this.#ports.log);
      shown.lanes.set(channel.name, lane);
      return lane;
    });
  }

  #guarded<T>(write: () => T): T | undefined {
    try {
      return write();
    } catch (error) {
      // Costs at most the edit of an old message or one audit row; the decision itself is stored elsewhere.
      this.#ports.log.error({ error: String(error) }, 'the desk could not reach the store');
      return undefined;
    }
  }
}

const keyOf = (subject: Subject, id: string): string => `${subject} ${id}`;

function refusalOf(decision: OwnerDecision, result: DecisionResult & { ok: false }): AuditInput {
  const { subject, id, verdict, principal } = decision;
  return {
    actor: principal,
    kind: 'decision.refused',
    ...(subject === 'run' ? { requestId: id } : {}),
    payload: { subject, id, verdict, reason: result.reason },
  };
}

import type { Card, CardOutcome } from '../../contract/card.ts';
import { CodedError } from '../../contract/errors.ts';
import type { CardKey, DecisionPlace, DecisionState } from '../../contract/ipc.ts';
import type { Subject } from '../../contract/states.ts';
import type { Arming } from './arming.ts';

export type Rectangle = Readonly<{ x: number; y: number; width: number; height: number }>;

/** The window as far as it matters for whether the owner sees a card. */
export type PresenterWindow = Readonly<{
  isVisible: () => boolean;
  isMinimized: () => boolean;
  isFocused: () => boolean;
  bringToFront: () => void;
}>;

/** The decision view. `show` answers where it stands now; calling it again moves it to where it belongs. */
export type PresenterView = Readonly<{ show: () => Rectangle; hide: () => void; focus: () => void }>;

export type PresenterPorts = Readonly<{
  window: PresenterWindow;
  view: PresenterView;
  arming: Arming;
  card: (subject: Subject, id: string) => Card | null;
  /** Name of the agent to pause, when the owner denied it this time and the times before; else null. */
  pauseOffer: (requestId: string) => string | null;
  /** Nothing can be approved now; a denial still counts. */
  isLocked: () => boolean;
  emitState: (state: DecisionState | null) => void;
  emitPlace: (place: DecisionPlace | null) => void;
}>;

type Shown = Readonly<{ kind: 'card'; card: Card; turn: number }> | Extract<DecisionState, { kind: 'ended' }>;

/** Shows one card at a time in the decision view and knows when its buttons may work. */
export class Presenter {
  readonly #ports: PresenterPorts;
  #state: Shown | null = null;
  #turn = 0;
  /** The turn that the view has on the screen. */
  #drawn: number | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(ports: PresenterPorts) {
    this.#ports = ports;
  }

  /** What the view shows, with the time that is left until its buttons work. */
  state(): DecisionState | null {
    const state = this.#state;
    if (state?.kind !== 'card') return state;
    const armsInMs = this.#ports.arming.remainingMs(armingKey(state.card, state.card.revision));
    return { ...state, armsInMs, locked: this.#ports.isLocked() };
  }

  /** Tells the view anew: the vault was locked or opened. */
  factsChanged(): void {
    if (this.#state?.kind === 'card') this.#ports.emitState(this.state());
  }

  /** Name of the agent that the open card offers to pause. Throws `not_found` when it offers none. */
  offeredPause(): string {
    const state = this.#state;
    if (state?.kind === 'ended' && state.pause !== undefined && !state.pause.done) return state.pause.agent;
    throw new CodedError('not_found', 'This card does not offer to pause an agent.');
  }

  /** Id of the run that the ended card allowed. Throws `not_found` when there is none. */
  endedRun(): string {
    const state = this.#state;
    if (state?.kind === 'ended' && state.key.subject === 'run' && state.outcome.kind === 'approved')
      return state.key.id;
    throw new CodedError('not_found', 'No card that allowed a run is open.');
  }

  /** The offer was taken. */
  pauseDone(): void {
    const state = this.#state;
    if (state?.kind !== 'ended' || state.pause === undefined) return;
    this.#show({ ...state, pause: { ...state.pause, done: true } });
  }

  /** The view starts again, after its process died, and has nothing on the screen. */
  viewStarted(): void {
    this.#drawn = null;
    this.outOfSight();
  }

  /** The view has the card of this turn on the screen: a long card takes its time. */
  drawn(turn: number): void {
    this.#drawn = turn;
    this.inSight();
  }

  /** Opens a card in front of the owner. Answers false when it does not wait any more. */
  open(key: CardKey, front: boolean): boolean {
    const card = this.#ports.card(key.subject, key.id);
    if (card === null) return false;
    if (front) this.#ports.window.bringToFront();
    this.#showCard(card);
    this.#ports.view.focus();
    return true;
  }

  close(): void {
    this.#state = null;
    this.#ports.view.hide();
    this.#ports.emitPlace(null);
    this.outOfSight();
  }

  cardChanged(card: Card): void {
    const state = this.#state;
    // A card that says the same keeps its turn, and its time goes on.
    if (state?.kind === 'card' && this.#isCurrent(card)) {
      if (card.revision === state.card.revision) this.#show({ ...state, card });
      else this.#showCard(card);
    }
  }

  cardEnded(key: CardKey, outcome: CardOutcome): void {
    const state = this.#state;
    if (state?.kind !== 'card' || !this.#isCurrent(key)) return;
    const { subject, id, sentence } = state.card;
    const agent = subject === 'run' && outcome.kind === 'denied' ? this.#ports.pauseOffer(id) : null;
    const pause = agent === null ? {} : { pause: { agent, done: false } };
    this.#show({ kind: 'ended', key: { subject, id }, sentence, outcome, ...pause });
  }

  /** The window came back to the owner's eyes: the second of an open card starts, if it does not run already. */
  inSight(): void {
    const state = this.#state;
    if (state?.kind !== 'card' || state.turn !== this.#drawn || !this.#inFront()) {
      this.outOfSight();
      return;
    }
    this.#clearTimer();
    const key = armingKey(state.card, state.card.revision);
    this.#ports.arming.visible(key);
    const remaining = this.#ports.arming.remainingMs(key);
    // The view gets told again when the time is over; main checks the clock itself in any case.
    if (remaining !== null && remaining > 0) this.#timer = setTimeout(() => this.inSight(), remaining);
    this.#ports.emitState(this.state());
  }

  /** Something may have hidden the card from the owner's eyes: its second starts anew. */
  outOfSight(): void {
    this.#clearTimer();
    this.#ports.arming.hidden();
    this.#ports.emitState(this.state());
  }

  /** The window has another size. */
  resized(): void {
    this.#emitPlace();
  }

  /** Throws unless this very revision of this card has been in front for the arming time. */
  requireArmed(key: CardKey, revision: string): void {
    const remaining = this.#ports.arming.remainingMs(armingKey(key, revision));
    if (remaining === 0 && this.#isCurrent(key) && this.#inFront()) return;
    throw new CodedError('card_blocked', 'The buttons work once the card has been visible for one second.');
  }

  dispose(): void {
    this.#clearTimer();
  }

  #showCard(card: Card): void {
    this.#turn += 1;
    this.#show({ kind: 'card', card, turn: this.#turn });
  }

  #show(state: Shown): void {
    this.#state = state;
    this.#emitPlace();
    this.inSight();
  }

  /** A window without the focus may be covered by another, so that a click on it may be meant for that one. */
  #inFront(): boolean {
    const { window } = this.#ports;
    return window.isVisible() && !window.isMinimized() && window.isFocused();
  }

  #isCurrent(key: CardKey): boolean {
    const state = this.#state;
    return state?.kind === 'card' && state.card.subject === key.subject && state.card.id === key.id;
  }

  #emitPlace(): void {
    const state = this.#state;
    if (state === null) return;
    const { subject, id } = state.kind === 'card' ? state.card : state.key;
    this.#ports.emitPlace({ ...this.#ports.view.show(), card: { subject, id } });
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

function armingKey(key: CardKey, revision: string): string {
  return `${key.subject}:${key.id}:${revision}`;
}

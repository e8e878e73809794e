import type { BrowserWindow } from 'electron';
import type { Card, CardOutcome } from '../../contract/card.ts';
import { CodedError } from '../../contract/errors.ts';
import type { CardKey, DecisionPlace, DecisionState } from '../../contract/ipc.ts';
import type { Subject } from '../../contract/states.ts';
import type { Arming } from './arming.ts';
import type { DecisionView } from './decisionView.ts';
import { bringToFront } from './mainWindow.ts';

type PresenterPorts = Readonly<{
  window: BrowserWindow;
  view: DecisionView;
  arming: Arming;
  card: (subject: Subject, id: string) => Card | null;
  emitState: (state: DecisionState | null) => void;
  emitPlace: (place: DecisionPlace | null) => void;
}>;

/** Shows one card at a time in the decision view and knows when its buttons may work. */
export class Presenter {
  readonly #ports: PresenterPorts;
  #state: DecisionState | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(ports: PresenterPorts) {
    this.#ports = ports;
    const { window } = ports;
    // Whatever may have hidden the card from the owner's eyes starts the second anew.
    for (const event of ['hide', 'minimize', 'blur'] as const) window.on(event as 'hide', () => this.#disarm());
    for (const event of ['show', 'restore', 'focus'] as const) window.on(event as 'show', () => this.#arm());
    window.on('resize', () => this.#emitPlace());
  }

  state(): DecisionState | null {
    return this.#withCountdown(this.#state);
  }

  /** Opens a card in front of the owner. Answers false when it does not wait any more. */
  open(key: CardKey, front: boolean): boolean {
    const card = this.#ports.card(key.subject, key.id);
    if (card === null) return false;
    if (front) bringToFront(this.#ports.window);
    this.#show({ kind: 'card', card, armsInMs: 0 });
    return true;
  }

  close(): void {
    this.#state = null;
    this.#disarm();
    this.#ports.view.hide();
    this.#ports.emitPlace(null);
    this.#ports.emitState(null);
  }

  cardChanged(card: Card): void {
    if (this.#isCurrent(card)) this.#show({ kind: 'card', card, armsInMs: 0 });
  }

  cardEnded(key: CardKey, outcome: CardOutcome): void {
    if (this.#isCurrent(key)) this.#show({ kind: 'ended', id: key.id, outcome });
  }

  /** Throws unless this very revision of this card has been in front for the arming time. */
  requireArmed(key: CardKey, revision: string): void {
    const remaining = this.#ports.arming.remainingMs(armingKey(key, revision));
    if (remaining === 0 && this.#inFront()) return;
    throw new CodedError('card_blocked', 'The buttons work once the card has been visible for one second.');
  }

  dispose(): void {
    this.#clearTimer();
  }

  #show(state: DecisionState): void {
    this.#state = state;
    this.#ports.view.show();
    this.#emitPlace();
    if (state.kind === 'card') this.#arm();
    else this.#disarm();
  }

  #arm(): void {
    const state = this.#state;
    this.#clearTimer();
    if (state?.kind === 'card' && this.#inFront()) {
      const key = armingKey(state.card, state.card.revision);
      this.#ports.arming.visible(key);
      const remaining = this.#ports.arming.remainingMs(key);
      // The view gets told again when the time is over; main checks the clock itself in any case.
      if (remaining !== null && remaining > 0) this.#timer = setTimeout(() => this.#arm(), remaining);
    }
    this.#ports.emitState(this.state());
  }

  #disarm(): void {
    this.#clearTimer();
    this.#ports.arming.hidden();
    this.#ports.emitState(this.state());
  }

  #inFront(): boolean {
    const { window, view } = this.#ports;
    return view.shown && window.isVisible() && !window.isMinimized();
  }

  #withCountdown(state: DecisionState | null): DecisionState | null {
    if (state?.kind !== 'card') return state;
    const remaining = this.#ports.arming.remainingMs(armingKey(state.card, state.card.revision));
    return { ...state, armsInMs: remaining ?? Number.MAX_SAFE_INTEGER };
  }

  #isCurrent(key: CardKey): boolean {
    const state = this.#state;
    return state?.kind === 'card' && state.card.subject === key.subject && state.card.id === key.id;
  }

  #emitPlace(): void {
    const state = this.#state;
    if (state?.kind !== 'card' && state?.kind !== 'ended') return;
    const key: CardKey = state.kind === 'card' ? state.card : { subject: 'run', id: state.id };
    this.#ports.emitPlace({ ...this.#ports.view.show(), card: { subject: key.subject, id: key.id } });
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

function armingKey(key: CardKey, revision: string): string {
  return `${key.subject}:${key.id}:${revision}`;
}

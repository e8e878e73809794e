import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Card, CardOutcome } from '../../contract/card.ts';
import type { DecisionPlace, DecisionState } from '../../contract/ipc.ts';
import type { OwnerActions, SecretInput } from '../../contract/owner.ts';
import { makeCard } from '../../tests/support/cards.ts';
import type { OwnerDecision } from '../approvals/channel.ts';
import { Arming } from './arming.ts';
import { decisionHandlers } from './decisionHandlers.ts';
import { Presenter } from './presenter.ts';

const denied: CardOutcome = { kind: 'denied', text: 'Denied in the app.' };
const place = { x: 300, y: 56, width: 780, height: 704 };

/** A desktop whose window, view and clock belong to the test. */
class FakeDesktop {
  card: Card | null = makeCard();
  visible = true;
  minimized = false;
  focused = true;
  locked = false;
  /** Agents to pause, by the request that was denied. */
  readonly pauseOffers = new Map<string, string>();
  readonly paused: string[] = [];
  readonly runsShown: string[] = [];
  shown = false;
  /** Whether the view draws what it is told at once. */
  draws = true;
  #drawn = 0;
  state: DecisionState | null = null;
  place: DecisionPlace | null = null;
  readonly decided: OwnerDecision[] = [];
  readonly added: SecretInput[] = [];
  readonly presenter: Presenter;

  constructor() {
    this.presenter = new Presenter({
      window: {
        isVisible: () => this.visible,
        isMinimized: () => this.minimized,
        isFocused: () => this.focused,
        bringToFront: () => {
          this.visible = true;
          this.focused = true;
        },
      },
      view: {
        show: () => {
          this.shown = true;
          return place;
        },
        hide: () => {
          this.shown = false;
        },
        focus: () => undefined,
      },
      arming: new Arming({ wallMs: () => Date.now(), monotonicMs: () => performance.now() }),
      card: (subject, id) => (this.card?.subject === subject && this.card.id === id ? this.card : null),
      pauseOffer: (id) => this.pauseOffers.get(id) ?? null,
      isLocked: () => this.locked,
      emitState: (state) => {
        this.state = state;
        if (this.draws && state?.kind === 'card') this.draw(state.turn);
      },
      emitPlace: (next) => {
        this.place = next;
      },
    });
  }

  get handlers() {
    const owner: Pick<OwnerActions, 'addSecret' | 'extendRequest' | 'pauseAgent'> = {
      addSecret: (_by, input) => {
        this.added.push(input);
        throw new Error('not looked at');
      },
      extendRequest: () => undefined,
      pauseAgent: (_by, name) => void this.paused.push(name),
    };
    const desk = {
      decide: async (decision: OwnerDecision) => {
        this.decided.push(decision);
        return { ok: true, outcome: denied } as const;
      },
    };
    return decisionHandlers(
      owner,
      desk,
      () => undefined,
      this.presenter,
      (id) => {
        this.runsShown.push(id);
      },
    );
  }

  draw(turn: number): void {
    if (turn === this.#drawn) return;
    this.#drawn = turn;
    this.presenter.drawn(turn);
  }

  press(card: Card = makeCard()) {
    const { subject, id, revision } = card;
    return this.handlers.decide({ subject, id, revision, verdict: 'once' });
  }

  get armsInMs(): number | null | undefined {
    return this.state?.kind === 'card' ? this.state.armsInMs : undefined;
  }
}

const blocked = expect.objectContaining({ code: 'card_blocked' });

describe('the buttons of a card (ATTACKS L206)', () => {
  let desktop: FakeDesktop;

  beforeEach(() => {
    vi.useFakeTimers();
    desktop = new FakeDesktop();
  });
  afterEach(() => {
    desktop.presenter.dispose();
    vi.useRealTimers();
  });

  const open = (): boolean => desktop.presenter.open(makeCard(), false);

  it('do nothing until the card was in front for one second', async () => {
    open();
    expect(desktop.armsInMs).toBe(1000);
    await expect(desktop.press()).rejects.toEqual(blocked);
    vi.advanceTimersByTime(999);
    await expect(desktop.press()).rejects.toEqual(blocked);
    expect(desktop.decided).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(desktop.armsInMs).toBe(0);
    await desktop.press();
    expect(desktop.decided).toMatchObject([{ verdict: 'once', revision: 'rev-1', principal: 'desktop' }]);
  });

  it('start anew when the card changes, and the old card cannot be decided any more', async () => {
    open();
    vi.advanceTimersByTime(1000);
    desktop.presenter.cardChanged(makeCard({ revision: 'rev-2' }));
    expect(desktop.armsInMs).toBe(1000);
    await expect(desktop.press()).rejects.toEqual(blocked);
    await expect(desktop.press(makeCard({ revision: 'rev-2' }))).rejects.toEqual(blocked);
    vi.advanceTimersByTime(1000);
    await expect(desktop.press()).rejects.toEqual(blocked);
    await desktop.press(makeCard({ revision: 'rev-2' }));
    expect(desktop.decided).toMatchObject([{ revision: 'rev-2' }]);
  });

  it('go on counting when the same card is announced again', () => {
    open();
    vi.advanceTimersByTime(600);
    desktop.presenter.cardChanged(makeCard());
    expect(desktop.armsInMs).toBe(400);
  });

  it.each([
    ['loses the focus', 'focused', false],
    ['is hidden', 'visible', false],
    ['is minimized', 'minimized', true],
  ] as const)('start anew after the window %s', async (_what, fact, away) => {
    open();
    vi.advanceTimersByTime(1000);
    desktop[fact] = away;
    await expect(desktop.press()).rejects.toEqual(blocked);
    desktop.presenter.outOfSight();
    vi.advanceTimersByTime(5000);
    desktop[fact] = !away;
    desktop.presenter.inSight();
    expect(desktop.armsInMs).toBe(1000);
    await expect(desktop.press()).rejects.toEqual(blocked);
    vi.advanceTimersByTime(1000);
    await desktop.press();
    expect(desktop.decided).toHaveLength(1);
  });

  it('wait for the card to be on the screen, each time that it is opened', async () => {
    desktop.draws = false;
    open();
    vi.advanceTimersByTime(5000);
    expect(desktop.armsInMs).toBeNull();
    await expect(desktop.press()).rejects.toEqual(blocked);
    desktop.draw(1);
    expect(desktop.armsInMs).toBe(1000);
    vi.advanceTimersByTime(1000);
    expect(desktop.armsInMs).toBe(0);
    desktop.presenter.close();
    open();
    desktop.presenter.drawn(1);
    vi.advanceTimersByTime(5000);
    await expect(desktop.press()).rejects.toEqual(blocked);
    desktop.presenter.drawn(2);
    vi.advanceTimersByTime(1000);
    await desktop.press();
    expect(desktop.decided).toHaveLength(1);
  });

  it('start anew when the view itself does', async () => {
    open();
    vi.advanceTimersByTime(1000);
    desktop.draws = false;
    desktop.presenter.viewStarted();
    expect(desktop.armsInMs).toBeNull();
    await expect(desktop.press()).rejects.toEqual(blocked);
  });

  it('do not arm behind another window, even when the card changes there', async () => {
    desktop.focused = false;
    open();
    desktop.presenter.cardChanged(makeCard({ revision: 'rev-2' }));
    vi.advanceTimersByTime(5000);
    desktop.focused = true;
    desktop.presenter.inSight();
    await expect(desktop.press(makeCard({ revision: 'rev-2' }))).rejects.toEqual(blocked);
  });

  it('work for the open card only', async () => {
    open();
    vi.advanceTimersByTime(1000);
    desktop.card = makeCard({ id: 'req_other' });
    desktop.presenter.open(desktop.card, false);
    await expect(desktop.press()).rejects.toEqual(blocked);
    vi.advanceTimersByTime(1000);
    await expect(desktop.press()).rejects.toEqual(blocked);
    await desktop.press(desktop.card);
    expect(desktop.decided).toMatchObject([{ id: 'req_other' }]);
  });

  it('are gone once the card was closed or has ended', async () => {
    open();
    vi.advanceTimersByTime(1000);
    desktop.presenter.close();
    expect([desktop.state, desktop.place, desktop.shown]).toEqual([null, null, false]);
    await expect(desktop.press()).rejects.toEqual(blocked);
    open();
    vi.advanceTimersByTime(1000);
    desktop.presenter.cardEnded(makeCard(), denied);
    await expect(desktop.press()).rejects.toEqual(blocked);
    expect(desktop.decided).toEqual([]);
  });
});

describe('the decision view', () => {
  const pairing = makeCard({ subject: 'pairing', id: 'pair_1', revision: 'pair_1', verdicts: ['approve', 'deny'] });

  it('shows how its card ended, whatever the card was about', () => {
    const desktop = new FakeDesktop();
    desktop.card = pairing;
    desktop.presenter.open(pairing, false);
    desktop.presenter.cardEnded({ subject: 'run', id: 'pair_1' }, denied);
    expect(desktop.state?.kind).toBe('card');
    desktop.presenter.cardEnded(pairing, denied);
    const { sentence } = pairing;
    expect(desktop.state).toEqual({
      kind: 'ended',
      key: { subject: 'pairing', id: 'pair_1' },
      sentence,
      outcome: denied,
    });
    expect(desktop.place).toEqual({ ...place, card: { subject: 'pairing', id: 'pair_1' } });
    desktop.presenter.dispose();
  });

  it('offers to pause the agent that was denied again and again, that one and once', () => {
    const desktop = new FakeDesktop();
    const notOffered = expect.objectContaining({ code: 'not_found' });
    const card = makeCard();
    const pause = (): unknown => desktop.handlers.pauseAgent(null);
    desktop.presenter.open(card, false);
    expect(pause).toThrow(notOffered);
    desktop.presenter.cardEnded(card, denied);
    expect(pause).toThrow(notOffered);
    desktop.pauseOffers.set(card.id, 'laptop');
    desktop.presenter.open(card, false);
    desktop.presenter.cardEnded(card, { kind: 'expired', text: 'Expired.' });
    expect(pause).toThrow(notOffered);
    desktop.presenter.open(card, false);
    desktop.presenter.cardEnded(card, denied);
    expect(desktop.state).toMatchObject({ kind: 'ended', pause: { agent: 'laptop', done: false } });
    pause();
    expect(desktop.paused).toEqual(['laptop']);
    expect(desktop.state).toMatchObject({ kind: 'ended', pause: { agent: 'laptop', done: true } });
    expect(pause).toThrow(notOffered);
    desktop.presenter.dispose();
  });

  it('leads to the run that it allowed, and to no other', () => {
    const desktop = new FakeDesktop();
    const notThere = expect.objectContaining({ code: 'not_found' });
    const show = (): unknown => desktop.handlers.showRun(null);
    expect(show).toThrow(notThere);
    const card = makeCard();
    desktop.presenter.open(card, false);
    expect(show).toThrow(notThere);
    desktop.presenter.cardEnded(card, denied);
    expect(show).toThrow(notThere);
    desktop.presenter.open(card, false);
    desktop.presenter.cardEnded(card, { kind: 'approved', text: 'Approved once in the app.' });
    show();
    expect(desktop.runsShown).toEqual([card.id]);
    desktop.card = pairing;
    desktop.presenter.open(pairing, false);
    desktop.presenter.cardEnded(pairing, { kind: 'approved', text: 'Paired.' });
    expect(show).toThrow(notThere);
    desktop.presenter.dispose();
  });

  it('tells that the vault was locked under an open card', () => {
    const desktop = new FakeDesktop();
    desktop.presenter.open(makeCard(), false);
    expect(desktop.state).toMatchObject({ locked: false });
    desktop.locked = true;
    desktop.presenter.factsChanged();
    expect(desktop.state).toMatchObject({ locked: true });
    desktop.presenter.dispose();
  });

  it('opens nothing for a card that does not wait', () => {
    const desktop = new FakeDesktop();
    desktop.card = null;
    expect(desktop.presenter.open(makeCard(), true)).toBe(false);
    expect(desktop.state).toBeNull();
  });

  it('adds only a secret that the open card misses', () => {
    const desktop = new FakeDesktop();
    const add = (name: string): unknown => desktop.handlers.addSecret({ name, value: 'x', hosts: [] });
    const notAsked = expect.objectContaining({ code: 'not_found' });
    expect(() => add('WEATHER_KEY')).toThrow(notAsked);
    desktop.card = makeCard({ missingSecrets: ['WEATHER_KEY'] });
    desktop.presenter.open(desktop.card, false);
    expect(() => add('OTHER_KEY')).toThrow(notAsked);
    expect(desktop.added).toEqual([]);
    expect(() => add('WEATHER_KEY')).toThrow('not looked at');
    expect(desktop.added).toEqual([{ name: 'WEATHER_KEY', value: 'x' }]);
    desktop.presenter.dispose();
  });
});

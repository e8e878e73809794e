import { randomBytes } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { Card } from '../../contract/card.ts';
import type { Settings } from '../../contract/settings.ts';
import { makeCard, plain } from '../../tests/support/cards.ts';
import { describeChannel } from '../approvals/channel.contract.ts';
import type { DecisionResult, OwnerDecision } from '../approvals/channel.ts';
import { silentLog } from '../core/log.ts';
import { NotificationChannel } from './channel.ts';
import { FakeNotifier } from './fakes.ts';

const approved = { kind: 'approved', verdict: 'once', text: 'Approved.' } as const;
const settled = (check: () => void) => vi.waitFor(check, { timeout: 2000, interval: 2 });

function setUp(runOnce: Settings['notify.run_once'] = 'seen', notifier = new FakeNotifier()) {
  const decisions: OwnerDecision[] = [];
  const opened: string[] = [];
  const isOn = { now: true };
  let answer: DecisionResult = { ok: true, outcome: approved };
  const channel = new NotificationChannel({
    notifier,
    desk: {
      decide: async (decision) => {
        decisions.push(decision);
        return answer;
      },
      card: () => makeCard(),
    },
    openCard: (subject, id) => opened.push(`${subject} ${id}`),
    isOn: () => isOn.now,
    runOnce: () => runOnce,
    random: (bytes) => randomBytes(bytes),
    log: silentLog,
  });
  const answers = (next: DecisionResult): void => {
    answer = next;
  };
  return { notifier, channel, decisions, opened, answers, isOn };
}

const labels = (notifier: FakeNotifier): readonly string[] =>
  [...notifier.shown.values()].at(-1)?.actions.map((action) => action.label) ?? [];

describe('notifications that the owner turned off', () => {
  it('show no new card, and the one that is there is still taken back', async () => {
    const { channel, notifier, isOn } = setUp();
    const first = makeCard({ id: 'req_1' });
    await channel.show(first, null);
    isOn.now = false;
    expect(await channel.show(makeCard({ id: 'req_2' }), null)).toEqual({ reached: false });
    expect(notifier.shown.size).toBe(1);
    await channel.close(first, approved, null);
    expect(notifier.shown.size).toBe(0);
  });
});

describe('the buttons of a notification', () => {
  it.each([
    ['never', true, ['Review', 'Deny']],
    ['seen', false, ['Review', 'Deny']],
    ['seen', true, ['Review', 'Run Once', 'Deny']],
    ['always', false, ['Review', 'Run Once', 'Deny']],
  ] as const)('with run_once %s and a card that was approved before: %s', async (setting, seenBefore, expected) => {
    const { channel, notifier } = setUp(setting);
    await channel.show(makeCard({ seenBefore }), null);
    expect(labels(notifier)).toEqual(expected);
  });

  it('leave out Run Once when the facts did not fit', async () => {
    const { channel, notifier } = setUp('always');
    const value = plain(Array.from({ length: 40 }, (_, index) => `host${index}.example`).join(', '));
    await channel.show(makeCard({ facts: [{ key: 'network', label: 'Network', tone: 'plain', value }] }), null);
    expect(labels(notifier)).toEqual(['Review', 'Deny']);
  });

  it('leave out Run Once when one of many secrets would not be named', async () => {
    const { channel, notifier } = setUp('always');
    const facts = ['A', 'B', 'C', 'D', 'E'].map((name) => ({
      key: `secret:${name}`,
      label: `Secret ${name}`,
      tone: 'plain' as const,
      value: plain('goes to api.weather.example'),
    }));
    await channel.show(makeCard({ facts }), null);
    expect(labels(notifier)).toEqual(['Review', 'Deny']);
    await channel.show(makeCard({ facts: facts.slice(0, 3) }), null);
    expect(labels(notifier)).toEqual(['Review', 'Run Once', 'Deny']);
    expect([...notifier.shown.values()].at(-1)?.body).toContain('Secret C: goes to api.weather.example');
  });

  it('leave out Run Once when the card cannot be approved', async () => {
    const { channel, notifier } = setUp('always');
    await channel.show(makeCard({ verdicts: ['deny'] }), null);
    expect(labels(notifier)).toEqual(['Review', 'Deny']);
  });

  it('decide about the very revision that was shown', async () => {
    const { channel, notifier, decisions } = setUp('always');
    await channel.show(makeCard(), null);
    notifier.press(1, notifier.key(1, 'Run Once'));
    await settled(() =>
      expect(decisions).toEqual([
        { subject: 'run', id: makeCard().id, revision: 'rev-1', verdict: 'once', principal: 'desktop' },
      ]),
    );
  });

  it('open exactly their card with Review, and decide nothing', async () => {
    const { channel, notifier, decisions, opened } = setUp();
    await channel.show(makeCard({ id: 'req_other' }), null);
    await channel.show(makeCard(), null);
    notifier.press(2, notifier.key(2, 'Review'));
    await settled(() => expect(opened).toEqual([`run ${makeCard().id}`]));
    expect(decisions).toEqual([]);
  });

  it('open the card when the decision was not taken', async () => {
    const { channel, notifier, opened, answers } = setUp();
    answers({ ok: false, reason: 'stale', text: 'The card changed.' });
    await channel.show(makeCard(), null);
    notifier.press(1, notifier.key(1, 'Deny'));
    await settled(() => expect(opened).toEqual([`run ${makeCard().id}`]));
  });
});

describe('what is no answer', () => {
  it('a notification that is closed', async () => {
    const { channel, notifier, decisions } = setUp();
    await channel.show(makeCard(), null);
    notifier.dismiss(1);
    expect(decisions).toEqual([]);
  });

  it('L205 a second click, and another button of the same notification after the first', async () => {
    const { channel, notifier, decisions } = setUp('always');
    await channel.show(makeCard(), null);
    const [deny, once] = [notifier.key(1, 'Deny'), notifier.key(1, 'Run Once')];
    for (const key of [deny, deny, once]) notifier.act(1, key);
    await settled(() => expect(decisions).toHaveLength(1));
    expect(decisions[0]).toMatchObject({ verdict: 'deny' });
  });

  it('L205 a button of the card as it was before it changed', async () => {
    const { channel, notifier, decisions } = setUp('always');
    await channel.show(makeCard(), null);
    const old = notifier.key(1, 'Run Once');
    await channel.update(makeCard({ revision: 'rev-2' }));
    notifier.act(1, old);
    expect(decisions).toEqual([]);
  });

  it('an action that was never on offer', async () => {
    const { channel, notifier, decisions } = setUp('never');
    await channel.show(makeCard(), null);
    for (const key of ['once', 'deny', '0', '']) notifier.press(1, key);
    expect(decisions).toEqual([]);
  });
});

describe('a card that changes', () => {
  it('is not brought back after it was dismissed', async () => {
    const { channel, notifier } = setUp();
    await channel.show(makeCard(), null);
    notifier.dismiss(1);
    await channel.update(makeCard({ revision: 'rev-2' }));
    expect(notifier.shown.size).toBe(0);
  });

  it('is shown again when the notification service comes back', async () => {
    const { channel, notifier } = setUp();
    await channel.show(makeCard(), null);
    notifier.restart();
    await settled(() => expect(notifier.shown.size).toBe(1));
  });

  it('is shown when the service comes up late', async () => {
    const { channel, notifier } = setUp();
    notifier.available = false;
    expect(await channel.show(makeCard(), null)).toEqual({ reached: false });
    notifier.restart();
    await settled(() => expect(notifier.shown.size).toBe(1));
  });

  it('replaces and closes the notification of before a restart of the app', async () => {
    const before = setUp();
    const { reference = null } = await before.channel.show(makeCard(), null);
    const after = setUp('seen', before.notifier);
    await after.channel.show(makeCard(), reference);
    expect(before.notifier.shown.size).toBe(1);
    const third = setUp('seen', before.notifier);
    await third.channel.close(makeCard(), approved, reference);
    expect(before.notifier.shown.size).toBe(0);
  });

  it('leaves alone an id of another life of the service', async () => {
    const { channel, notifier } = setUp();
    await channel.show(makeCard({ id: 'req_other' }), null);
    await channel.close(makeCard(), approved, { id: 1, session: 'service 0' });
    expect(notifier.shown.size).toBe(1);
    await channel.show(makeCard(), { id: 1, session: 'service 0' });
    expect(notifier.shown.size).toBe(2);
  });
});

describe('the text', () => {
  const bodyOf = async (change: Partial<Card>): Promise<string> => {
    const { channel, notifier } = setUp();
    await channel.show(makeCard(change), null);
    return [...notifier.shown.values()][0]?.body ?? '';
  };

  it('holds facts, no words of the agent and no code', async () => {
    const body = await bodyOf({});
    expect(body).toContain('Secrets: WEATHER_KEY → api.weather.example');
    expect(body).not.toContain('Looks up the weather');
    expect(body).not.toContain('console.log');
  });

  it('M221 is short and has one line a fact, whatever is in it', async () => {
    const body = await bodyOf({ sentence: plain(`a\nb\n\n${'x'.repeat(10_000)}`) });
    expect(body.length).toBeLessThan(700);
    expect(body.split('\n')).toHaveLength(3);
  });
});

it('tells a notice without any button', async () => {
  const { channel, notifier } = setUp();
  await channel.notice('Secret WEATHER_KEY was bound.');
  expect(notifier.shown.get(1)).toMatchObject({ body: 'Secret WEATHER_KEY was bound.', actions: [] });
});

describeChannel('the notification channel', async () => {
  const { channel, notifier } = setUp();
  return {
    channel,
    look: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      const shown = [...notifier.shown.values()];
      const withButtons = shown.filter((request) => request.actions.length > 0).length;
      return { shown: shown.length, withButtons, text: shown.map((request) => request.body).join('\n') };
    },
    cut: () => {
      notifier.available = false;
    },
    restore: () => notifier.restart(),
    dispose: async () => {},
  };
});

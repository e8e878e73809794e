import { describe, expect, it, vi } from 'vitest';
import { CodedError } from '../../contract/errors.ts';
import { makeCard } from '../../tests/support/cards.ts';
import { silentLog } from '../core/log.ts';
import type { AuditInput } from '../core/records.ts';
import { describeChannel } from './channel.contract.ts';
import type { OwnerDecision } from './channel.ts';
import { ApprovalDesk } from './desk.ts';
import { FakeCardRecords, FakeChannel, FakeHandler } from './fakes.ts';

const card = makeCard();
const expired = { kind: 'expired', text: 'Nobody answered in time.' } as const;

function decision(change: Partial<OwnerDecision> = {}): OwnerDecision {
  return { subject: 'run', id: card.id, revision: card.revision, verdict: 'once', principal: 'desktop', ...change };
}

function setUp(options: Readonly<{ reachWaitMs?: number; records?: FakeCardRecords; handler?: FakeHandler }> = {}) {
  const handler = options.handler ?? new FakeHandler('run');
  const records = options.records ?? new FakeCardRecords();
  const audit: AuditInput[] = [];
  const telegram = new FakeChannel('telegram');
  const window = new FakeChannel('window');
  const desk = new ApprovalDesk({
    handlers: [handler],
    records,
    clock: { wallMs: () => 5_000 },
    audit: (event) => audit.push(event),
    log: silentLog,
    reachWaitMs: options.reachWaitMs ?? 30,
  });
  desk.addChannel(window);
  desk.addChannel(telegram);
  return { handler, records, audit, telegram, window, desk };
}

const settled = (check: () => void) => vi.waitFor(check, { timeout: 2000, interval: 2 });

describe('opening a card', () => {
  it('shows it on every channel and names those that were reached', async () => {
    const { desk, handler, telegram, window } = setUp();
    window.unreachable = true;
    handler.put(card);
    expect(await desk.open('run', card.id)).toEqual({ reached: ['telegram'] });
    expect(telegram.log).toEqual([`show ${card.id} rev-1`]);
  });

  it('does not let a channel that hangs hold up another channel or the answer', async () => {
    const { desk, handler, telegram, window } = setUp();
    telegram.hold();
    handler.put(card);
    expect(await desk.open('run', card.id)).toEqual({ reached: ['window'] });
    telegram.release();
    await settled(() => expect(telegram.open.has(card.id)).toBe(true));
    expect(window.log).toHaveLength(1);
  });

  it('shows a card once when the same request comes again', async () => {
    const { desk, handler, telegram } = setUp();
    handler.put(card);
    await desk.open('run', card.id);
    expect(await desk.open('run', card.id)).toEqual({ reached: ['window', 'telegram'] });
    expect(telegram.log).toHaveLength(1);
  });

  it('reaches nobody for a subject that does not wait', async () => {
    const { desk, telegram } = setUp();
    expect(await desk.open('run', 'req_none')).toEqual({ reached: [] });
    expect(telegram.log).toEqual([]);
  });

  it('never shows a card that was decided before its turn came', async () => {
    const { desk, handler, telegram } = setUp();
    handler.put(card);
    telegram.hold();
    const opened = desk.open('run', card.id);
    desk.refresh('run', card.id);
    await desk.decide(decision());
    telegram.release();
    await opened;
    await settled(() => expect(telegram.log.at(-1)).toBe(`close ${card.id} approved`));
    expect(telegram.open.size).toBe(0);
  });
});

it('keeps the order of what happens to one card on one channel', async () => {
  const { desk, handler, telegram } = setUp();
  handler.put(card);
  telegram.hold();
  const opened = desk.open('run', card.id);
  await opened;
  handler.put({ ...card, revision: 'rev-2' });
  desk.refresh('run', card.id);
  await desk.decide(decision({ revision: 'rev-2' }));
  telegram.release();
  await settled(() => expect(telegram.log).toEqual([`show ${card.id} rev-1`, `close ${card.id} approved`]));
  expect(telegram.open.size).toBe(0);
});

it('never shows a card that was withdrawn before its turn came, though its handler still has it', async () => {
  const { desk, handler, telegram, window } = setUp();
  handler.put(card);
  const opened = desk.open('run', card.id);
  desk.ended('run', card.id, { kind: 'withdrawn', text: 'Withdrawn.' });
  await opened;
  await settled(() => expect(telegram.log).toEqual([`close ${card.id} withdrawn`]));
  expect(window.log).toEqual([`close ${card.id} withdrawn`]);
});

describe('deciding', () => {
  it('closes every channel to the outcome, the deciding one too', async () => {
    const { desk, handler, telegram, window } = setUp();
    handler.put(card);
    await desk.open('run', card.id);
    expect(await desk.decide(decision({ principal: 'telegram:7' }))).toMatchObject({ ok: true });
    await settled(() => {
      expect(telegram.log.at(-1)).toBe(`close ${card.id} approved`);
      expect(window.log.at(-1)).toBe(`close ${card.id} approved`);
    });
  });

  it('L185 lets the first valid decision win; the second learns the outcome and is audited', async () => {
    const { desk, handler, audit } = setUp();
    handler.put(card);
    await desk.open('run', card.id);
    const results = await Promise.all([
      desk.decide(decision()),
      desk.decide(decision({ verdict: 'deny', principal: 'telegram:7' })),
    ]);
    expect(results[0]).toMatchObject({ ok: true, outcome: { verdict: 'once' } });
    expect(results[1]).toMatchObject({ ok: false, reason: 'ended', outcome: { verdict: 'once' } });
    expect(audit).toEqual([
      {
        actor: 'telegram:7',
        kind: 'decision.refused',
        requestId: card.id,
        payload: { subject: 'run', id: card.id, verdict: 'deny', reason: 'ended' },
      },
    ]);
  });

  it('refuses a decision about a card that changed since it was shown, and shows the new one', async () => {
    const { desk, handler, telegram } = setUp();
    handler.put(card);
    await desk.open('run', card.id);
    handler.put({ ...card, revision: 'rev-2' });
    expect(await desk.decide(decision())).toMatchObject({ ok: false, reason: 'stale' });
    expect(handler.decisions).toEqual([]);
    await settled(() => expect(telegram.log.at(-1)).toBe(`update ${card.id} rev-2`));
  });

  it('refuses a verdict that the card does not offer', async () => {
    const { desk, handler } = setUp();
    handler.put({ ...card, verdicts: ['deny'] });
    expect(await desk.decide(decision())).toMatchObject({ ok: false, reason: 'blocked' });
    expect(handler.decisions).toEqual([]);
    expect(await desk.decide(decision({ verdict: 'deny' }))).toMatchObject({ ok: true });
  });

  it('refuses a subject that nobody handles', async () => {
    const { desk } = setUp();
    expect(await desk.decide(decision({ subject: 'pairing' }))).toMatchObject({ ok: false, reason: 'unknown' });
  });

  it('leaves the card open when the decision cannot be stored', async () => {
    const handler = new FakeHandler('run');
    handler.decide = () => {
      throw new CodedError('storage_unavailable', 'The disk is full.');
    };
    const { desk, telegram } = setUp({ handler });
    handler.put(card);
    await desk.open('run', card.id);
    expect(await desk.decide(decision())).toEqual({ ok: false, reason: 'blocked', text: 'The disk is full.' });
    expect(telegram.open.has(card.id)).toBe(true);
  });
});

describe('the end of a card', () => {
  it('forgets where it was shown', async () => {
    const { desk, handler, records, telegram } = setUp();
    handler.put(card);
    await desk.open('run', card.id);
    expect(records.rows).toHaveLength(2);
    handler.end(card.id, expired);
    desk.ended('run', card.id, expired);
    await settled(() => expect(records.rows).toEqual([]));
    expect(telegram.log.at(-1)).toBe(`close ${card.id} expired`);
  });

  it('keeps deciding and closing when a channel breaks its contract', async () => {
    const { desk, handler, telegram, window } = setUp();
    window.show = () => Promise.reject(new Error('broken'));
    handler.put(card);
    expect(await desk.open('run', card.id)).toEqual({ reached: ['telegram'] });
    await desk.decide(decision());
    await settled(() => expect(telegram.log.at(-1)).toBe(`close ${card.id} approved`));
  });
});

describe('after a restart', () => {
  it('shows what waits again, with the kept references, oldest first', async () => {
    const before = setUp();
    before.handler.put(card);
    before.handler.put(makeCard({ id: 'req_older', createdAtMs: 10 }));
    await before.desk.open('run', card.id);
    const kept = before.records.rows.find((row) => row.channel === 'telegram')?.reference;

    const after = setUp({ records: before.records, handler: before.handler });
    after.desk.start();
    await settled(() => expect(after.telegram.log).toEqual(['show req_older rev-1', `show ${card.id} rev-1`]));
    expect(after.telegram.references).toEqual([null, kept]);
    expect(after.desk.waiting().map((waiting) => waiting.id)).toEqual(['req_older', card.id]);
  });

  it('closes with the kept reference what ended before it was shown again', async () => {
    const before = setUp();
    before.handler.put(card);
    await before.desk.open('run', card.id);
    const kept = before.records.rows.find((row) => row.channel === 'telegram')?.reference;
    before.handler.end(card.id, expired);

    const after = setUp({ records: before.records, handler: before.handler });
    after.desk.ended('run', card.id, expired);
    await settled(() => expect(after.telegram.log).toEqual([`close ${card.id} expired`]));
    expect(after.telegram.references).toEqual([kept]);
  });

  it('shows what waits to a channel that comes later', async () => {
    const { desk, handler } = setUp();
    handler.put(card);
    desk.start();
    const late = new FakeChannel('notification');
    desk.addChannel(late);
    await settled(() => expect(late.open.has(card.id)).toBe(true));
  });
});

describeChannel('the fake channel', async () => {
  const channel = new FakeChannel('window');
  return {
    channel,
    look: async (id) => {
      const found = channel.open.get(id);
      const shown = found === undefined ? 0 : 1;
      return { shown, withButtons: shown, text: found?.sentence.map((segment) => segment.text).join('') ?? '' };
    },
    cut: () => {
      channel.unreachable = true;
    },
    restore: () => {
      channel.unreachable = false;
    },
    dispose: async () => {},
  };
});

describe('a channel that is taken away', () => {
  it('gets nothing more, and what it put somewhere too late does not count; the next in its place shows what waits', async () => {
    const { desk, handler, records, telegram, window } = setUp();
    desk.start();
    telegram.hold();
    handler.put(card);
    await desk.open('run', card.id);
    desk.removeChannel(telegram);
    telegram.release();
    await settled(() => expect(telegram.open.has(card.id)).toBe(true));
    await settled(() => expect(records.rows.map((row) => row.channel)).toEqual(['window']));
    desk.refresh('run', card.id);
    await settled(() => expect(window.log).toContain(`update ${card.id} rev-1`));

    const next = new FakeChannel('telegram');
    desk.addChannel(next);
    await settled(() => expect(next.open.has(card.id)).toBe(true));
    // The one that was taken away before takes nobody else with it.
    desk.removeChannel(telegram);
    await desk.decide(decision());
    await settled(() => expect(next.log.at(-1)).toBe(`close ${card.id} approved`));
    expect(telegram.log).toEqual([`show ${card.id} rev-1`]);
  });

  it('has its places kept for the one that comes after it', async () => {
    const { desk, handler, records, telegram } = setUp();
    desk.start();
    handler.put(card);
    await desk.open('run', card.id);
    const place = records.rows.find((row) => row.channel === 'telegram')?.reference;
    desk.removeChannel(telegram);
    const next = new FakeChannel('telegram');
    desk.addChannel(next);
    await settled(() => expect(next.references).toEqual([place]));
  });
});

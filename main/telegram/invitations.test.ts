import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Invitations, type Knock } from './invitations.ts';

const owner = 42;
const inPrivate = (id: number) => ({ from: { id, is_bot: false }, chat: { id, type: 'private' } });

function setUp() {
  const invitations = new Invitations({ clock: { wallMs: () => Date.now() }, random: randomBytes, changed: () => {} });
  const code = (): string => invitations.current?.code ?? 'none';
  const knock = (change: Partial<Knock> = {}) =>
    invitations.take({ ...inPrivate(owner), code: code(), name: 'Owner', forwarded: false, ...change });
  return { invitations, code, knock };
}

describe('a code for an approver', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is another one each time, and the one before does not count any more', () => {
    const { invitations, code, knock } = setUp();
    const codes = Array.from({ length: 50 }, () => {
      invitations.invite('person');
      return code();
    });
    expect(new Set(codes).size).toBe(50);
    expect(knock({ code: codes[0] ?? '' })).toMatchObject({ refused: 'wrong_code' });
    invitations.end(null);
  });

  it('L201 ends after ten minutes, and so does what waits for the yes of the owner', () => {
    const { invitations, knock } = setUp();
    invitations.invite('person');
    vi.advanceTimersByTime(9 * 60_000);
    expect(knock()).toMatchObject({ refused: null });
    vi.advanceTimersByTime(9 * 60_000);
    expect(invitations.current?.claim?.chatId).toBe(owner);
    vi.advanceTimersByTime(60_000);
    expect(invitations.current).toBeNull();
    expect(invitations.ended).toContain('within ten minutes');
    invitations.invite('person');
    vi.advanceTimersByTime(10 * 60_000);
    expect(knock()).toBeNull();
  });

  it('L201 ends when many people try, so that there is no end of guessing', () => {
    const { invitations, knock } = setUp();
    invitations.invite('person');
    for (let id = 100; id < 200; id += 1) knock({ ...inPrivate(id), code: 'GUESS' });
    expect(invitations.current).toBeNull();
    expect(invitations.ended).toContain('Many wrong codes');
  });

  it('is taken from nobody without a sender, and from no private chat that is not the sender’s own', () => {
    const { invitations, knock } = setUp();
    invitations.invite('person');
    expect(knock({ from: undefined })).toMatchObject({ refused: 'code_of_nobody' });
    expect(knock({ chat: { id: 43, type: 'private' } })).toMatchObject({ refused: 'code_in_group' });
    expect(invitations.current).toBeNull();
  });

  it('L201 counts once: a second sender is a stranger like any other', () => {
    const { invitations, knock } = setUp();
    invitations.invite('person');
    expect(knock()).toMatchObject({ refused: null });
    expect(knock(inPrivate(99))).toBeNull();
    expect(invitations.current?.claim?.chatId).toBe(owner);
    invitations.end(null);
  });
});

describe('a code for a group', () => {
  it('counts in groups only, and stays open when it was sent elsewhere', () => {
    const { invitations, knock } = setUp();
    invitations.invite('group');
    expect(knock()).toMatchObject({ refused: 'code_outside_group' });
    expect(knock({ chat: { id: -7, type: 'channel' } })).toMatchObject({ refused: 'code_outside_group' });
    expect(knock({ chat: { id: -7, type: 'supergroup' }, name: 'Team' })).toMatchObject({ refused: null });
    expect(invitations.current?.claim).toEqual({ chatId: -7, kind: 'group', name: 'Team' });
    invitations.end(null);
  });
});

import { describe, expect, it } from 'vitest';
import type { TelegramMember, TelegramView } from '../../contract/telegramView.ts';
import { toSegments } from '../core/display.ts';
import { Admission, type Question } from './admission.ts';

const claim: TelegramMember = { chatId: 42, kind: 'person', name: toSegments('Owner\n\u202eme') };

function setUp(answer: boolean | Promise<boolean>, claimed: TelegramMember | null = claim) {
  const asked: Question[] = [];
  const admitted: number[] = [];
  const view: TelegramView = {
    source: 'window',
    bot: 'a_bot',
    connection: 'connected',
    problem: null,
    members: [],
    invitation: { kind: 'person', code: 'X', link: '', expiresAtMs: 0, claim: claimed },
    invitationEnded: null,
    test: null,
  };
  const admission = new Admission({
    telegram: { view: async () => view, admit: async (_by, chatId) => void admitted.push(chatId) },
    ask: async (question) => {
      asked.push(question);
      return answer;
    },
  });
  return { admission, asked, admitted };
}

describe('letting somebody decide in Telegram', () => {
  it('L201 M211 O241 is asked outside of the window, with the name and id that main knows', async () => {
    const { admission, asked, admitted } = setUp(true);
    expect(await admission.admit(42)).toBe(true);
    expect(asked[0]?.message).toBe('May “Owner⟦U+000A⟧⟦U+202E⟧me” decide what runs?');
    expect(asked[0]?.detail).toContain('42');
    expect(admitted).toEqual([42]);
  });

  it('does not happen when the owner says no', async () => {
    const { admission, admitted } = setUp(false);
    expect(await admission.admit(42)).toBe(false);
    expect(admitted).toEqual([]);
  });

  it('is not even asked for a chat that did not send the code', async () => {
    for (const { admission, asked } of [setUp(true), setUp(true, null)]) {
      await expect(admission.admit(43)).rejects.toThrow('not open any more');
      expect(asked).toEqual([]);
    }
  });

  it('is asked once at a time, however often a script in the window asks', async () => {
    let say = (_yes: boolean): void => {};
    const answer = new Promise<boolean>((resolve) => {
      say = resolve;
    });
    const { admission, asked } = setUp(answer);
    const first = admission.admit(42);
    expect(await admission.admit(42)).toBe(false);
    say(true);
    expect(await first).toBe(true);
    expect(asked).toHaveLength(1);
  });
});

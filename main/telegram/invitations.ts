import type { MemberKind } from '../../contract/telegramView.ts';
import { sameText } from '../core/sameText.ts';

/** What a `/start CODE` says about itself; any of it may be missing. */
export type Knock = Readonly<{
  code: string;
  from: Readonly<{ id: number; is_bot: boolean }> | undefined;
  chat: Readonly<{ id: number; type: string }>;
  /** As Telegram names the person or the group: anything at all. */
  name: string;
  /** Words of somebody else. */
  forwarded: boolean;
}>;

/** What to say there, null: nothing; and why nobody was let in, null: it is up to the owner now. */
export type KnockAnswer = Readonly<{ reply: string | null; refused: string | null }>;
export type Claim = Readonly<{ chatId: number; kind: MemberKind; name: string }>;
export type Invitation = Readonly<{ kind: MemberKind; code: string; expiresAtMs: number; claim: Claim | null }>;

export type InvitationPorts = Readonly<{
  clock: Readonly<{ wallMs(): number }>;
  random: (bytes: number) => Uint8Array;
  /** Another invitation, or it came further. */
  changed: () => void;
}>;

const VALID_MS = 10 * 60_000;
/** Of one sender; whoever types carefully needs one. After that even the right code does not count. */
const MAX_TRIES = 5;
/** Of all senders together. */
const MAX_WRONG = 100;
/** 40 bits: with so few tries and ten minutes nobody guesses it. No letter that looks like another. */
const CODE_LENGTH = 8;
const alphabet = 'ABCDEFGHJKMNPQRSTVWXYZ0123456789';
const MAX_NAME = 200;

type Open = { invitation: Invitation; readonly tries: Map<number, number>; wrong: number; timer: NodeJS.Timeout };

/** The one way to become an approver: a code that only the owner's screen shows, sent from where the cards shall go. */
export class Invitations {
  readonly #ports: InvitationPorts;
  #open: Open | null = null;
  #ended: string | null = null;

  constructor(ports: InvitationPorts) {
    this.#ports = ports;
  }

  get current(): Invitation | null {
    return this.#open?.invitation ?? null;
  }

  /** Why the last one let nobody in, a sentence. */
  get ended(): string | null {
    return this.#ended;
  }

  /** A new code; an earlier one does not count any more. */
  invite(kind: MemberKind): void {
    this.end(null);
    const code = [...this.#ports.random(CODE_LENGTH)].map((byte) => alphabet[byte % alphabet.length]).join('');
    const invitation = { kind, code, expiresAtMs: this.#ports.clock.wallMs() + VALID_MS, claim: null };
    this.#open = { invitation, tries: new Map(), wrong: 0, timer: this.#expiry() };
    this.#ports.changed();
  }

  end(reason: string | null): void {
    if (this.#open !== null) clearTimeout(this.#open.timer);
    this.#open = null;
    this.#ended = reason;
    this.#ports.changed();
  }

  /** Null when no code is waited for: then it is a message like any other. */
  take(knock: Knock): KnockAnswer | null {
    const open = this.#open;
    if (open === null || open.invitation.claim !== null) return null;
    const { from, chat } = knock;
    if (from === undefined || from.is_bot || knock.forwarded) return { reply: null, refused: 'code_of_nobody' };
    const tries = open.tries.get(from.id) ?? 0;
    if (tries >= MAX_TRIES) return { reply: null, refused: 'too_many_codes' };
    if (!sameText(knock.code.toUpperCase(), open.invitation.code)) return this.#wrong(open, from.id, tries);
    const isPrivate = chat.type === 'private' && chat.id === from.id;
    const isGroup = (chat.type === 'group' || chat.type === 'supergroup') && chat.id < 0;
    if (open.invitation.kind === 'person' && !isPrivate) {
      this.end('The code was sent where others can read it. Make a new one and send it to the bot alone.');
      return { reply: 'This code is for a private chat, and does not count any more.', refused: 'code_in_group' };
    }
    if (open.invitation.kind === 'group' && !isGroup) {
      return { reply: 'Send this in the group that shall get the cards.', refused: 'code_outside_group' };
    }
    const claim = { chatId: chat.id, kind: open.invitation.kind, name: knock.name.slice(0, MAX_NAME) };
    clearTimeout(open.timer);
    this.#open = { ...open, invitation: { ...open.invitation, claim }, timer: this.#expiry() };
    this.#ports.changed();
    return { reply: 'Right. Now confirm it in the app.', refused: null };
  }

  #wrong(open: Open, userId: number, tries: number): KnockAnswer {
    open.tries.set(userId, tries + 1);
    open.wrong += 1;
    if (open.wrong >= MAX_WRONG) this.end('Many wrong codes were sent to the bot. Make a new one.');
    return { reply: 'This is not the code that the app shows.', refused: 'wrong_code' };
  }

  #expiry(): NodeJS.Timeout {
    const timer = setTimeout(() => this.end('The code was not used within ten minutes.'), VALID_MS);
    timer.unref();
    return timer;
  }
}

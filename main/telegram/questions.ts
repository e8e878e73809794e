import type { InlineKeyboardButton } from 'grammy/types';

const VALID_MS = 120_000;

type Asked = Readonly<{ userId: number; chatId: number; untilMs: number; group: string; run: () => Promise<string> }>;

/** Yes-or-no questions about commands: answered once, by the one who was asked, in that chat, within two minutes. */
export class Questions {
  readonly #random: (bytes: number) => Uint8Array;
  readonly #clock: Readonly<{ monotonicMs(): number }>;
  readonly #asked = new Map<string, Asked>();

  constructor(random: (bytes: number) => Uint8Array, clock: Readonly<{ monotonicMs(): number }>) {
    this.#random = random;
    this.#clock = clock;
  }

  /** Buttons for a question; `run` answers with what to say afterwards. */
  ask(
    who: Readonly<{ userId: number; chatId: number }>,
    choices: readonly Readonly<{ label: string; run: () => Promise<string> }>[],
  ): InlineKeyboardButton[][] {
    const now = this.#clock.monotonicMs();
    for (const [nonce, asked] of this.#asked) if (asked.untilMs < now) this.#asked.delete(nonce);
    const group = this.#nonce();
    return [
      choices.map(({ label, run }) => {
        const nonce = this.#nonce();
        this.#asked.set(nonce, { ...who, untilMs: now + VALID_MS, group, run });
        return { text: label, callback_data: nonce };
      }),
    ];
  }

  /** What to run, or null when this answers no question of this user in this chat. Answers the whole question. */
  take(data: string | undefined, who: Readonly<{ userId: number; chatId: number }>): (() => Promise<string>) | null {
    const asked = this.#asked.get(data ?? '');
    if (asked === undefined || asked.userId !== who.userId || asked.chatId !== who.chatId) return null;
    for (const [nonce, other] of this.#asked) if (other.group === asked.group) this.#asked.delete(nonce);
    return asked.untilMs < this.#clock.monotonicMs() ? null : asked.run;
  }

  #nonce(): string {
    return Buffer.from(this.#random(24)).toString('base64url');
  }
}

import { CodedError } from '../../contract/errors.ts';
import type { TelegramActions } from '../../contract/telegramView.ts';
import { segmentText } from '../core/segmentText.ts';

export type Question = Readonly<{ message: string; detail: string; action: string }>;

export type AdmissionPorts = Readonly<{
  telegram: Pick<TelegramActions, 'view' | 'admit'>;
  ask: (question: Question) => Promise<boolean>;
}>;

/**
 * Who may decide in Telegram decides what runs, so the window alone cannot let anybody in: main asks the owner itself,
 * with the name and id that it knows.
 */
export class Admission {
  readonly #ports: AdmissionPorts;
  #asking = false;

  constructor(ports: AdmissionPorts) {
    this.#ports = ports;
  }

  /** False when the owner said no. CodedError `card_changed` when this chat does not wait to be let in. */
  async admit(chatId: number): Promise<boolean> {
    if (this.#asking) return false;
    const { telegram, ask } = this.#ports;
    this.#asking = true;
    try {
      const claim = (await telegram.view()).invitation?.claim ?? null;
      if (claim === null || claim.chatId !== chatId) {
        throw new CodedError('card_changed', 'This code is not open any more.', { hint: 'Make a new one.' });
      }
      const name = segmentText(claim.name);
      const yes = await ask(
        claim.kind === 'person'
          ? {
              message: `May “${name}” decide what runs?`,
              detail: `Telegram user id ${chatId}. Cards go to this person, whose answer counts like yours here.`,
              action: 'May decide',
            }
          : {
              message: `Shall the group “${name}” get the cards?`,
              detail: `Telegram chat id ${chatId}. All its members read what agents ask for; only approvers can decide.`,
              action: 'Send cards there',
            },
      );
      if (yes) await telegram.admit('desktop', chatId);
      return yes;
    } finally {
      this.#asking = false;
    }
  }
}

import type { CallbackQuery } from 'grammy/types';
import type { Card } from '../../contract/card.ts';
import { CodedError } from '../../contract/errors.ts';
import type { ConfirmBinding, DecisionResult, Desk, OwnerDecision } from '../approvals/channel.ts';
import type { Buttons, FoundButton } from './buttons.ts';
import { codeFile, outcomeMessage } from './cardMessage.ts';
import type { TelegramChannel } from './channel.ts';
import type { Action } from './keyboard.ts';
import type { Outbox } from './outbox.ts';
import { judgeSender, type People, type Standing } from './people.ts';
import type { Questions } from './questions.ts';
import type { Refusals } from './refusals.ts';
import { RichText } from './richText.ts';
import type { SecretEntry } from './secretEntry.ts';

export type TapPorts = Readonly<{
  people: People;
  desk: Desk;
  channel: TelegramChannel;
  buttons: Buttons;
  questions: Questions;
  outbox: Outbox;
  refusals: Refusals;
  secretEntry: SecretEntry;
  confirmBinding: ConfirmBinding;
}>;

type Allowed = Extract<Standing, { ok: true }>;
type Tap = Readonly<{ query: CallbackQuery; messageId: number; who: Allowed; button: FoundButton }>;
type Said = Readonly<{ text: string; alert?: boolean }>;

const changedText = 'The card changed since it was shown. Look at it again.';
const endedText = 'This request has ended.';
const expiredText = 'This button has expired.';

/** What happens when somebody presses a button. Every press is answered; what is not followed is audited. */
export class Taps {
  readonly #ports: TapPorts;

  constructor(ports: TapPorts) {
    this.#ports = ports;
  }

  async take(query: CallbackQuery): Promise<void> {
    const said = await this.#judge(query);
    await this.#ports.outbox.answer(query.id, said.text, said.alert ?? false);
  }

  async #judge(query: CallbackQuery): Promise<Said> {
    const { people, buttons, questions, channel, outbox, refusals } = this.#ports;
    const chat = query.message?.chat;
    const who = judgeSender(people, { from: query.from, chat });
    const refused = (reason: string): void =>
      refusals.note({ userId: query.from.id, chatId: chat?.id ?? null, what: 'button', reason });
    if (!who.ok) {
      refused(who.reason);
      return { text: 'Only the owner of this app may answer this.', alert: true };
    }
    const answerQuestion = questions.take(query.data, who);
    const messageId = query.message?.message_id ?? 0;
    if (answerQuestion !== null) {
      await outbox.dropButtons(who.chatId, messageId);
      const text = await told(answerQuestion);
      await outbox.send(who.chatId, new RichText().addOutside(text).message());
      return { text: '' };
    }
    const button = buttons.find(query.data);
    if (button === null) {
      const standing = channel.standing(who.chatId, messageId);
      if (standing === null || standing === 'waits') refused('unknown_button');
      // An altered client can send any data under a card that waits; that must not take its buttons away.
      if (standing === null) await outbox.dropButtons(who.chatId, messageId);
      return { text: standing === null || standing === 'waits' ? expiredText : standing.text, alert: true };
    }
    if (button.chatId !== who.chatId) {
      refused('button_of_another_chat');
      return { text: expiredText, alert: true };
    }
    return this.#follow({ query, messageId, who, button });
  }

  async #follow(tap: Tap): Promise<Said> {
    const { action } = tap.button;
    switch (action.kind) {
      case 'decide':
        return this.#decide(tap, { verdict: action.verdict });
      case 'confirm_forever':
        return this.#decide(tap, { verdict: 'forever', argsPolicy: action.argsPolicy });
      default: {
        const card = this.#ports.desk.card(tap.button.subject, tap.button.id);
        if (card === null) return this.#tellEnd(tap, null);
        if (card.revision !== tap.button.revision) {
          await this.#ports.channel.again(card, tap.who.chatId);
          return { text: changedText, alert: true };
        }
        return this.#help(tap, card, action);
      }
    }
  }

  async #decide(tap: Tap, decision: Pick<OwnerDecision, 'verdict' | 'argsPolicy'>): Promise<Said> {
    const { subject, id, revision } = tap.button;
    const { principal } = tap.who;
    const result = await this.#ports.desk.decide({ subject, id, revision, principal, ...decision });
    if (result.ok) return { text: result.outcome.text };
    if (result.reason === 'ended' || result.reason === 'unknown') return this.#tellEnd(tap, result);
    return { text: result.text, alert: true };
  }

  /** The message did not follow yet, or belongs to the time before a restart. */
  async #tellEnd(tap: Tap, result: Extract<DecisionResult, { ok: false }> | null): Promise<Said> {
    const { subject, id } = tap.button;
    const { channel, outbox } = this.#ports;
    const outcome = result?.outcome ?? channel.outcome(subject, id);
    if (outcome === null || outcome === undefined) await outbox.dropButtons(tap.who.chatId, tap.messageId);
    else await outbox.edit(tap.who.chatId, tap.messageId, outcomeMessage(outcome, null));
    return { text: outcome?.text ?? result?.text ?? endedText, alert: true };
  }

  /** Everything that decides nothing. */
  async #help(tap: Tap, card: Card, action: Action): Promise<Said> {
    const { channel, outbox } = this.#ports;
    const { chatId } = tap.who;
    switch (action.kind) {
      case 'ask_forever':
        await channel.step(card.subject, card.id, chatId, 'confirm');
        return { text: 'Trust it until you revoke it? Confirm, or go back.' };
      case 'back':
        await channel.step(card.subject, card.id, chatId, 'main');
        return { text: '' };
      case 'view_code': {
        if (card.code === undefined) return { text: 'This card has no code.' };
        const sent = await outbox.sendFile(chatId, codeFile(card.code), { replyTo: tap.messageId });
        return sent.ok ? { text: '' } : { text: 'Telegram did not take the file. Try again.', alert: true };
      }
      case 'add_secret': {
        const problem = await this.#ports.secretEntry.ask(tap.who.userId, action.name);
        if (problem !== null) return { text: problem, alert: true };
        return { text: tap.who.isPrivate ? '' : 'I asked you for the value in our private chat.' };
      }
      case 'bind':
        return this.#bind(tap, card, action.name);
      default:
        return { text: endedText };
    }
  }

  async #bind(tap: Tap, card: Card, name: string): Promise<Said> {
    const unbound = card.unboundSecrets.find((secret) => secret.name === name);
    if (unbound === undefined) return { text: changedText, alert: true };
    try {
      this.#ports.confirmBinding(card.id, name, unbound.hosts, tap.who.principal);
      return { text: `${name} may go to ${unbound.hosts.join(', ')} for this request.` };
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      return { text: error.message, alert: true };
    }
  }
}

async function told(run: () => Promise<string>): Promise<string> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof CodedError) return error.message;
    throw error;
  }
}

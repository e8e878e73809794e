import { CodedError } from '../../contract/errors.ts';
import type { OwnerActions, SecretView } from '../../contract/owner.ts';
import type { Principal } from '../../contract/states.ts';
import type { Log } from '../core/log.ts';
import { checkSecretName } from '../core/secretRules.ts';
import type { Outbox } from './outbox.ts';
import type { Prompts } from './prompts.ts';
import { RichText } from './richText.ts';

type Author = Readonly<{ userId: number; chatId: number; principal: Principal }>;

export type SecretEntryPorts = Readonly<{
  owner: Pick<OwnerActions, 'addSecret' | 'secrets'>;
  outbox: Outbox;
  prompts: Prompts;
  log: Log;
}>;

/**
 * Taking the value of a secret in a private chat. The value counts only as a reply to our own question by the approver
 * who was asked; it is deleted from the chat before anything else and never said again.
 */
export class SecretEntry {
  readonly #ports: SecretEntryPorts;

  constructor(ports: SecretEntryPorts) {
    this.#ports = ports;
  }

  /** Asks in the private chat of the user. Answers null, or why it could not ask. */
  async ask(userId: number, name: string): Promise<string | null> {
    const problem = this.#problemWith(name);
    if (problem !== null) return problem;
    const text = new RichText()
      .add('Reply to this message with the value of ')
      .add(name, 'code')
      .add(
        '. I delete your reply at once and keep the value encrypted on your machine. The question is good for 10 minutes.',
      );
    const sent = await this.#ports.outbox.send(userId, text.message(), { forceReply: 'value of the secret' });
    if (!sent.ok) return 'I could not write to you. Open a private chat with me, press Start, and try again.';
    this.#ports.prompts.add(userId, sent.messageId, name);
    return null;
  }

  /** A reply to `questionId`. False when that was no question of ours. */
  async takeReply(author: Author, questionId: number, messageId: number, value: string): Promise<boolean> {
    const name = this.#ports.prompts.take(author.userId, questionId);
    if (name === undefined) return false;
    const removed = await this.#remove(author.chatId, messageId);
    await this.#ports.outbox.remove(author.chatId, questionId);
    const rich =
      name === null
        ? new RichText().add('That question was too old, so the value was not stored. Send /add_secret NAME again.')
        : this.#store(author, name, value);
    if (!removed) warnNotRemoved(rich);
    await this.#ports.outbox.send(author.chatId, rich.message());
    return true;
  }

  /** A text that is no reply while a question waits: perhaps the value, so it goes. False when none waits. */
  async takeStray(author: Author, messageId: number): Promise<boolean> {
    if (!this.#ports.prompts.waitsFor(author.userId)) return false;
    const removed = await this.#remove(author.chatId, messageId);
    const rich = new RichText().add(
      'I deleted your message in case it was the value. It only counts as a reply to my question: hold the question and choose Reply.',
    );
    if (!removed) warnNotRemoved(rich);
    await this.#ports.outbox.send(author.chatId, rich.message());
    return true;
  }

  /** `/add_secret NAME VALUE` in one message. */
  async takeDirect(author: Author, messageId: number, name: string, value: string): Promise<void> {
    const removed = await this.#remove(author.chatId, messageId);
    const rich = this.#problemWith(name) === null ? this.#store(author, name, value) : this.#refusal(name);
    rich.add('\n\n⚠️ The value stood in your message to me, so Telegram has seen it like any other text. ');
    rich.add('Next time send /add_secret NAME alone, or add it in the app.');
    if (!removed) warnNotRemoved(rich);
    await this.#ports.outbox.send(author.chatId, rich.message());
  }

  /** A value that was sent into a group: others saw it, so it is deleted and not stored. */
  async refuseInGroup(chatId: number, messageId: number): Promise<void> {
    const removed = await this.#remove(chatId, messageId);
    const rich = new RichText().add(
      'I take values in a private chat only. What was sent here has been seen by the group: make a new key and revoke this one.',
    );
    if (!removed) warnNotRemoved(rich);
    await this.#ports.outbox.send(chatId, rich.message());
  }

  #problemWith(name: string): string | null {
    const verdict = checkSecretName(name);
    if (!verdict.ok) return verdict.reason;
    const exists = this.#ports.owner.secrets().some((secret) => secret.name === name);
    return exists ? `There is a secret ${name} already. Replace its value in the app, or delete it first.` : null;
  }

  #refusal(name: string): RichText {
    return new RichText().add('Not stored. ').addOutside(this.#problemWith(name) ?? '');
  }

  #store(author: Author, name: string, value: string): RichText {
    try {
      const secret = this.#ports.owner.addSecret(author.principal, { name, value: value.replace(/\r?\n$/, '') });
      return savedText(secret);
    } catch (error) {
      if (error instanceof CodedError) return new RichText().add('Not stored. ').addOutside(error.message);
      // The message of an unexpected error could quote the value.
      this.#ports.log.error({ error: error instanceof Error ? error.name : 'unknown' }, 'a secret could not be stored');
      return new RichText().add('Not stored because of a defect.');
    }
  }

  #remove(chatId: number, messageId: number): Promise<boolean> {
    return this.#ports.outbox.remove(chatId, messageId);
  }
}

function savedText(secret: SecretView): RichText {
  const rich = new RichText().add('Stored ').add(secret.name, 'code').add('. ');
  if (secret.hosts.length > 0) return rich.add('It may go to ').add(secret.hosts.join(', '), 'code').add('.');
  return rich.add('It is not bound to any host yet: a card that needs it asks you.');
}

function warnNotRemoved(rich: RichText): void {
  rich.add('\n\n⚠️ I could not delete your message. Delete it yourself.', 'bold');
}

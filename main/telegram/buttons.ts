import type { InlineKeyboardButton } from 'grammy/types';
import { z } from 'zod';
import type { Card } from '../../contract/card.ts';
import type { Subject } from '../../contract/states.ts';
import type { NonceRow, Records } from '../core/records.ts';
import { type Action, actionSchema, type Keyboard } from './keyboard.ts';

/** 192 random bits, 32 characters: far under the 64 bytes of callback data, and nothing to put together (ATTACKS 199). */
const NONCE_BYTES = 24;
const nonceShape = /^[A-Za-z0-9_-]{32}$/;

const storedSchema = z.strictObject({ chat: z.number().int(), action: actionSchema });

export type FoundButton = Readonly<{ subject: Subject; id: string; revision: string; chatId: number; action: Action }>;

export type ButtonPorts = Readonly<{
  records: Pick<Records, 'saveNonces' | 'nonce'>;
  random: (bytes: number) => Uint8Array;
  clock: Readonly<{ wallMs(): number }>;
}>;

/** Turns a keyboard into buttons with nonces, stored before anyone can press them, and a pressed nonce into its meaning. */
export class Buttons {
  readonly #ports: ButtonPorts;

  constructor(ports: ButtonPorts) {
    this.#ports = ports;
  }

  /** Buttons that count in this chat only. */
  make(card: Pick<Card, 'subject' | 'id' | 'revision'>, keyboard: Keyboard, chatId: number): InlineKeyboardButton[][] {
    const rows: NonceRow[] = [];
    const buttons = keyboard.map((row) =>
      row.map(({ label, action }) => {
        const nonce = Buffer.from(this.#ports.random(NONCE_BYTES)).toString('base64url');
        const stored = JSON.stringify({ chat: chatId, action });
        rows.push({ nonce, subject: card.subject, subjectId: card.id, revision: card.revision, action: stored });
        return { text: label, callback_data: nonce };
      }),
    );
    this.#ports.records.saveNonces(rows, this.#ports.clock.wallMs());
    return buttons;
  }

  /** What a button means, or null when we never made it. */
  find(data: string | undefined): FoundButton | null {
    if (data === undefined || !nonceShape.test(data)) return null;
    const row = this.#ports.records.nonce(data);
    if (row === null) return null;
    const { chat, action } = storedSchema.parse(JSON.parse(row.action));
    return { subject: row.subject, id: row.subjectId, revision: row.revision, chatId: chat, action };
  }
}

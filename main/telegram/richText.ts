import type { MessageEntity } from 'grammy/types';

export type Style = 'bold' | 'italic' | 'code';

/** A text with its entities. Nothing is ever parsed: what was added is what is shown (ATTACKS 214). */
export type Message = Readonly<{ text: string; entities: readonly MessageEntity[] }>;

/** Telegram turns these into links, mentions and commands by itself, except inside `code`. */
const linkable = /[@#$/]|\p{L}\.[\p{L}\p{N}]|\p{N}\.\p{L}|\d\.\d+\.\d/u;

/** Builds a message piece by piece; offsets are UTF-16 units, as JavaScript and Telegram both count. */
export class RichText {
  #text = '';
  readonly #entities: MessageEntity[] = [];

  get length(): number {
    return this.#text.length;
  }

  add(text: string, style?: Style): this {
    if (style !== undefined && text.trim() !== '') this.#mark({ type: style }, text.length);
    this.#text += text;
    return this;
  }

  /** Words that came from outside: as `code` when Telegram would make something clickable of them (ATTACKS 218). */
  addOutside(text: string, style?: Style): this {
    return this.add(text, linkable.test(text) ? 'code' : style);
  }

  addPre(text: string, language: string): this {
    if (text.trim() !== '') this.#mark({ type: 'pre', language }, text.length);
    this.#text += text;
    return this;
  }

  message(): Message {
    return { text: this.#text, entities: this.#entities };
  }

  #mark(kind: Readonly<{ type: Style } | { type: 'pre'; language: string }>, length: number): void {
    this.#entities.push({ ...kind, offset: this.#text.length, length });
  }
}

/** Cuts at a character, never inside one, and says so. */
export function shorten(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const cut = text.slice(0, maxChars - 1);
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

import type { TextRow } from '../../contract/runView.ts';
import { toSegments } from './display.ts';

/** Longer lines go on in further rows, so that no line costs more to draw than a row does. */
export const rowCharacters = 240;

/**
 * A text that may grow, of any length, cut into rows that are drawn one by one. Only the rows that are asked for are made
 * ready to show.
 */
export class TextLayout {
  #text = '';
  /** Of each row: where it begins, and the line that it belongs to. */
  readonly #starts: number[] = [];
  readonly #lineOf: number[] = [];
  #line = 1;
  /** The last row has no line break yet. */
  #open = false;

  constructor(text = '') {
    this.append(text);
  }

  get total(): number {
    return this.#starts.length;
  }

  get lines(): number {
    return this.#lineOf.at(-1) ?? 0;
  }

  get characters(): number {
    return this.#text.length;
  }

  append(added: string): void {
    if (added === '') return;
    let at = this.#text.length;
    this.#text += added;
    if (this.#open) {
      at = this.#starts.pop() ?? 0;
      this.#lineOf.pop();
    }
    while (at < this.#text.length) {
      const lineBreak = this.#text.indexOf('\n', at);
      this.#lay(at, lineBreak === -1 ? this.#text.length : lineBreak);
      this.#open = lineBreak === -1;
      if (lineBreak === -1) return;
      this.#line += 1;
      at = lineBreak + 1;
    }
  }

  /** Up to `count` rows from `from` on, fewer at the end. */
  rows(from: number, count: number): readonly TextRow[] {
    const rows: TextRow[] = [];
    for (let index = from; index < Math.min(from + count, this.total); index += 1) {
      const line = this.#lineOf[index] ?? 0;
      const text = this.#text.slice(this.#starts[index], this.#starts[index + 1]).replace(/\r?\n$/, '');
      const of = toSegments(text, { multiline: true });
      rows.push({ line, continued: this.#lineOf[index - 1] === line, of });
    }
    return rows;
  }

  #lay(start: number, end: number): void {
    let at = start;
    do {
      this.#starts.push(at);
      this.#lineOf.push(this.#line);
      at = this.#cut(at + rowCharacters, end);
    } while (at < end);
  }

  /** Not between the halves of a surrogate pair. */
  #cut(at: number, end: number): number {
    if (at >= end) return end;
    const isPair = /[\ud800-\udbff]/.test(this.#text[at - 1] ?? '') && /[\udc00-\udfff]/.test(this.#text[at] ?? '');
    return isPair ? at - 1 : at;
  }
}

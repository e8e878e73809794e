import type { Segment } from '../../contract/display.ts';
import { segmentText } from './segmentText.ts';

export type DisplayOptions = Readonly<{
  /** Cut after this many characters; a mark says how many more there are. Never set it for code. */
  maxChars?: number;
  /** Let line breaks and tabs through; without it they are marked. */
  multiline?: boolean;
}>;

// Whatever Unicode says is not drawn, is drawn as nothing, or changes how neighbours are drawn; unassigned and private
// characters, whose looks nobody knows; and our own brackets, so that text cannot imitate a mark.
const hiddenClass =
  '[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}\\p{Cn}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}\\u2800\\ufffc\\u27e6\\u27e7]|(?! )\\p{Zs}';

// A letter carries few accents in any language; a stack of them covers the lines around it.
const maxAccents = 4;
/** More spaces than code is indented by: beyond this, what follows is out of sight. */
export const maxSpaces = 40;
/** More blank lines in a row than people leave. */
export const maxBlankLines = 5;

const accents = `(?<=\\p{M}{${maxAccents}})\\p{M}+`;
const spaces = `[ \\t]{${maxSpaces + 1},}`;
const blankLines = `(?<=\\n)(?:[ \\t]*\\r?\\n){${maxBlankLines + 1},}`;

const singleLine = (): RegExp => new RegExp(`${accents}|${spaces}|${hiddenClass}`, 'gu');
const multiLine = (): RegExp =>
  new RegExp(`${blankLines}|${accents}|${spaces}|\\r\\n|(?![\\n\\t])(?:${hiddenClass})`, 'gu');

type Mark = Readonly<{ text: string; title: string }>;

/**
 * Makes text from outside safe to show: control, format, bidi, invisible and look-alike-space characters become marks,
 * and so do long stretches of blank space. The one function for every field, short or long.
 */
export function toSegments(text: string, options: DisplayOptions = {}): readonly Segment[] {
  const { shown, cut } = cutText(text, options.maxChars);
  const pieces = new Pieces();
  let cursor = 0;
  for (const match of shown.matchAll(options.multiline === true ? multiLine() : singleLine())) {
    const found = match[0];
    pieces.addText(shown.slice(cursor, match.index));
    cursor = match.index + found.length;
    if (options.multiline !== true || found !== '\r\n') pieces.addMark(describe(found));
    if (found.length > 1 && found.endsWith('\n')) pieces.addText('\n');
  }
  pieces.addText(shown.slice(cursor));
  if (cut > 0) pieces.addMark({ text: `… ${cut} more characters`, title: 'shortened here' });
  return pieces.segments();
}

/** Collects text and marks; neighbours of the same kind become one. */
class Pieces {
  readonly #pieces: ({ text: string } | { mark: Mark; count: number })[] = [];

  addText(text: string): void {
    const last = this.#pieces.at(-1);
    if (text === '') return;
    if (last !== undefined && 'text' in last) last.text += text;
    else this.#pieces.push({ text });
  }

  addMark(mark: Mark): void {
    const last = this.#pieces.at(-1);
    if (last !== undefined && 'mark' in last && last.mark.text === mark.text) last.count += 1;
    else this.#pieces.push({ mark, count: 1 });
  }

  segments(): readonly Segment[] {
    return this.#pieces.map((piece) => {
      if ('text' in piece) return { kind: 'text', text: piece.text };
      const times = piece.count > 1 ? ` ×${piece.count}` : '';
      return { kind: 'mark', text: piece.mark.text + times, title: piece.mark.title };
    });
  }
}

/**
 * Code as one entry a line, nothing left out, so that the index is the line number. A long stretch of blank lines is
 * announced in its first line.
 */
export function toCodeLines(code: string): readonly (readonly Segment[])[] {
  const lines = code.split(/\r\n|\n/);
  const shown = lines.map((line) => [...toSegments(line, { multiline: true })]);
  let firstBlank = 0;
  for (let index = 0; index <= lines.length; index += 1) {
    if (index < lines.length && /^[ \t]*$/.test(lines[index] ?? '')) continue;
    const count = index - firstBlank;
    if (count > maxBlankLines) shown[firstBlank]?.push({ kind: 'mark', ...blankLineMark(count) });
    firstBlank = index + 1;
  }
  return shown;
}

/** The same as plain text, for places that cannot draw a mark: `a⟦U+202E⟧b`. */
export function toVisibleText(text: string, options: DisplayOptions = {}): string {
  return segmentText(toSegments(text, options));
}

const hiddenInCode = new RegExp(`(?:\\r\\n|[\\n\\t\\u27e6\\u27e7])|(${hiddenClass})`, 'gu');

/** How many characters of a text of several lines would not be seen; line breaks and tabs do not count. */
export function countHidden(text: string): number {
  let count = 0;
  for (const match of text.matchAll(hiddenInCode)) if (match[1] !== undefined) count += 1;
  return count;
}

/** How many stretches of blank lines or spaces are long enough to push what follows out of sight. */
export function countBlankRuns(text: string): number {
  const runs = [...text.matchAll(new RegExp(`${blankLines}|${spaces}`, 'gu'))];
  // Blank space at the end of a line hides nothing.
  return runs.filter(
    (run) =>
      !/^(?:[\r\n]|$)/.test(text.slice(run.index + run[0].length, run.index + run[0].length + 1)) ||
      run[0].endsWith('\n'),
  ).length;
}

function cutText(text: string, maxChars: number | undefined): Readonly<{ shown: string; cut: number }> {
  if (maxChars === undefined || text.length <= maxChars) return { shown: text, cut: 0 };
  const characters = [...text];
  if (characters.length <= maxChars) return { shown: text, cut: 0 };
  return { shown: characters.slice(0, maxChars).join(''), cut: characters.length - maxChars };
}

const blankLineMark = (count: number): Mark => ({
  text: `${count} blank lines`,
  title: 'a long stretch of blank lines',
});

function describe(found: string): Mark {
  if (/^[ \t]{2,}$/.test(found)) return { text: `${found.length} spaces`, title: 'a long stretch of blank space' };
  if (/^[ \t\r\n]{2,}$/.test(found)) return blankLineMark(found.split('\n').length - 1);
  if (/^\p{M}{1,}$/u.test(found) && !/\p{Default_Ignorable_Code_Point}/u.test(found)) {
    return { text: `${[...found].length} combining marks`, title: 'stacked accents' };
  }
  const point = found.codePointAt(0) ?? 0;
  return { text: `U+${point.toString(16).toUpperCase().padStart(4, '0')}`, title: titleOf(found, point) };
}

function titleOf(character: string, point: number): string {
  if (point === 0x0a || point === 0x0d || point === 0x2028 || point === 0x2029) return 'line break';
  if (point === 0x09) return 'tab';
  if (/\p{Bidi_Control}/u.test(character)) return 'changes the direction of text';
  if (point >= 0xe0000 && point <= 0xe007f) return 'invisible tag character';
  if (/\p{Cc}/u.test(character)) return 'control character';
  if (/\p{Cs}/u.test(character)) return 'half of a broken character';
  if (/\p{Zs}/u.test(character) || point === 0x2800) return 'unusual space';
  if (/\p{Co}|\p{Cn}/u.test(character)) return 'character without a known look';
  if (point === 0x27e6 || point === 0x27e7) return 'bracket that marks are made of';
  return 'invisible character';
}

import type { Segment } from '../../../contract/display.ts';

export type Line = readonly Segment[];

/** Stands for a mark in the text that is searched, compared in part and tokenised, so that places in it stay places. */
const MARK = '\ufffc';

/** A line as text to find places in: what is shown, each mark as one character. */
export function lineText(line: Line): string {
  let text = '';
  for (const segment of line) text += segment.kind === 'text' ? segment.text : MARK;
  return text;
}

/** Equal for two lines exactly when they look the same; the brackets never occur in shown text. */
export function lineKey(line: Line): string {
  let key = '';
  for (const segment of line) key += segment.kind === 'text' ? segment.text : `\u27e6${segment.text}\u27e7`;
  return key;
}

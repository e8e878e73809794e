import { type Line, lineText } from './lineText.ts';
import { isInsideCharacter } from './pieces.ts';

/** Places in the text of a line, from `from` up to `to`. */
export type Place = Readonly<{ from: number; to: number }>;

/** Lines that share less than this part of their text are other lines, where a mark inside would only be noise. */
const leastShared = 0.25;

/** What differs inside a line that changed, on each side: all but how both begin and end. Null when little is shared. */
export function intraLine(before: Line, now: Line): Readonly<{ before: Place; now: Place }> | null {
  const [left, right] = [lineText(before), lineText(now)];
  const shorter = Math.min(left.length, right.length);
  let head = 0;
  while (head < shorter && left[head] === right[head]) head += 1;
  if (isInsideCharacter(left, head) || isInsideCharacter(right, head)) head -= 1;
  let tail = 0;
  while (tail < shorter - head && left.at(-1 - tail) === right.at(-1 - tail)) tail += 1;
  if (isInsideCharacter(left, left.length - tail) || isInsideCharacter(right, right.length - tail)) tail -= 1;
  // What looks the same here may still be two different marks.
  if (head + tail === Math.max(left.length, right.length)) return null;
  if (head + tail < Math.max(left.length, right.length) * leastShared) return null;
  return { before: { from: head, to: left.length - tail }, now: { from: head, to: right.length - tail } };
}

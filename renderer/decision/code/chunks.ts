import type { Segment } from '../../../contract/display.ts';
import type { Line } from './lineText.ts';
import { isInsideCharacter } from './pieces.ts';

/** More than this of one line is drawn in rows of its own: what is on the screen is never much, however long a line is. */
export const MAX_CHUNK_CHARACTERS = 1600;
const maxChunkSegments = 200;

/** A part of a line; `start`: place of its first character in the text of the line. */
export type Chunk = Readonly<{ start: number; segments: Line }>;

/** A line in parts that are small enough to draw, nothing left out. An empty line is one empty part. */
export function chunksOf(line: Line): readonly Chunk[] {
  const chunks: Chunk[] = [];
  let [start, at, room] = [0, 0, MAX_CHUNK_CHARACTERS];
  let segments: Segment[] = [];
  const next = (): void => {
    chunks.push({ start, segments });
    [start, room, segments] = [at, MAX_CHUNK_CHARACTERS, []];
  };
  for (const segment of line) {
    let rest = segment.kind === 'text' ? segment.text : null;
    do {
      if (room <= 0 || segments.length >= maxChunkSegments) next();
      if (rest === null) segments.push(segment);
      else segments.push({ kind: 'text', text: rest.slice(0, cut(rest, room)) });
      const taken = rest === null ? 1 : cut(rest, room);
      rest = rest === null ? null : rest.slice(taken);
      at += taken;
      room -= taken;
    } while (rest !== null && rest !== '');
  }
  if (segments.length > 0 || chunks.length === 0) next();
  return chunks;
}

const cut = (text: string, room: number): number =>
  text.length <= room ? text.length : room + (isInsideCharacter(text, room) ? 1 : 0);

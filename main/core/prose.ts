import type { Segment } from '../../contract/display.ts';
import { toSegments } from './display.ts';

/**
 * A sentence of ours around texts from outside: what stands in the template is ours, everything put into it goes
 * through the display function. Segments that `prose` made before may be put in again.
 */
export function prose(
  ours: TemplateStringsArray,
  ...outside: readonly (string | number | readonly Segment[])[]
): readonly Segment[] {
  const pieces = ours.flatMap((text, index): readonly Segment[] => {
    const value = outside[index];
    const shown = value === undefined ? [] : typeof value === 'object' ? value : toSegments(String(value));
    return [{ kind: 'text', text }, ...shown];
  });
  return joinText(pieces);
}

/** `a, b and c`, each from outside. Empty list: no segments. */
export function listInProse(items: readonly (string | readonly Segment[])[], last = ' and '): readonly Segment[] {
  const pieces = items.flatMap((item, index): readonly Segment[] => {
    const between = index === 0 ? '' : index === items.length - 1 ? last : ', ';
    return [{ kind: 'text', text: between }, ...(typeof item === 'string' ? toSegments(item) : item)];
  });
  return joinText(pieces);
}

function joinText(pieces: readonly Segment[]): readonly Segment[] {
  const joined: Segment[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (piece.kind === 'mark') joined.push(piece);
    else if (last?.kind === 'text') joined[joined.length - 1] = { kind: 'text', text: last.text + piece.text };
    else if (piece.text !== '') joined.push(piece);
  }
  return joined;
}

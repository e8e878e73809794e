import { coloursOf } from './colours.ts';

/** `lines`: texts of lines, marks as one character each. */
export type ColourQuestion = Readonly<{ lines: readonly string[]; language: string }>;

addEventListener('message', ({ data }: MessageEvent<ColourQuestion>) => {
  for (const batch of coloursOf(data.lines, data.language)) postMessage(batch);
  postMessage(null);
});

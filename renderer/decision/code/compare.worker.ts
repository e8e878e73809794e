import { changedLines } from './changedLines.ts';

/** `before` and `now`: keys of lines. */
export type CompareQuestion = Readonly<{ before: readonly string[]; now: readonly string[] }>;

// The one who asks has made the question itself: nothing from outside starts or reaches a worker.
addEventListener('message', ({ data }: MessageEvent<CompareQuestion>) => {
  postMessage(changedLines(data.before, data.now));
});

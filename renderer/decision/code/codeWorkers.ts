import type { LineRun } from './changedLines.ts';
import type { ColouredLine } from './colourNames.ts';
import type { ColourQuestion } from './colours.worker.ts';
import coloursUrl from './colours.worker.ts?worker&url';
import type { CompareQuestion } from './compare.worker.ts';
import compareUrl from './compare.worker.ts?worker&url';

/** More than the worker gives itself, for its start; after this there is no answer. */
const COMPARE_LIMIT_MS = 3_000;
const COLOURS_LIMIT_MS = 15_000;

// What it makes is no string, but the types of the platform know no other address of a worker yet.
type WorkerPolicy = Readonly<{ createScriptURL: (url: string) => string }>;
type TrustedTypes = Readonly<{
  createPolicy: (name: string, rules: Readonly<{ createScriptURL: (url: string) => string }>) => WorkerPolicy;
}>;
declare global {
  interface Window {
    readonly trustedTypes: TrustedTypes;
  }
}

const addresses: ReadonlySet<string> = new Set([coloursUrl, compareUrl]);
// The one policy that main allows this view (main/desktop/scheme.ts), for these two addresses.
const policy = window.trustedTypes.createPolicy('oauth3-workers', {
  createScriptURL: (url) => {
    if (addresses.has(url)) return url;
    throw new TypeError('Not the address of a worker of this view');
  },
});

type Ended = 'answered' | 'gave up';

/** Asks a worker of its own, which ends after `limitMs`, with the last answer (`onAnswer` says which) or by `stop`. */
function ask<Question, Answer>(
  url: string,
  question: Question,
  limitMs: number,
  onAnswer: (answer: Answer) => 'more' | 'last',
  onEnd: (how: Ended) => void,
): () => void {
  const worker = new Worker(policy.createScriptURL(url), { type: 'module' });
  const stop = (): void => {
    clearTimeout(timer);
    worker.terminate();
  };
  const end = (how: Ended): void => {
    stop();
    onEnd(how);
  };
  const timer = setTimeout(() => end('gave up'), limitMs);
  worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
    if (onAnswer(data) === 'last') end('answered');
  });
  worker.addEventListener('error', () => end('gave up'));
  worker.postMessage(question);
  return stop;
}

/** Tells which lines changed, null when that takes too long. Returns how to stop. */
export function compareLines(question: CompareQuestion, told: (runs: readonly LineRun[] | null) => void): () => void {
  let runs: readonly LineRun[] | null = null;
  return ask<CompareQuestion, typeof runs>(
    compareUrl,
    question,
    COMPARE_LIMIT_MS,
    (answer) => {
      runs = answer;
      return 'last';
    },
    () => told(runs),
  );
}

/** Tells the colours of the next lines, batch after batch, for as long as the limit lasts. Returns how to stop. */
export function colourLines(question: ColourQuestion, told: (batch: readonly ColouredLine[]) => void): () => void {
  return ask<ColourQuestion, readonly ColouredLine[] | null>(
    coloursUrl,
    question,
    COLOURS_LIMIT_MS,
    (batch) => {
      if (batch !== null) told(batch);
      return batch === null ? 'last' : 'more';
    },
    () => undefined,
  );
}

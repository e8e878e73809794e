import { GrammyError, HttpError } from 'grammy';

/** What to do after a call to Telegram failed. */
export type Failure =
  | Readonly<{ kind: 'unauthorized' | 'conflict' | 'forbidden' | 'rejected' | 'gone' | 'unmodified'; text: string }>
  | Readonly<{ kind: 'later'; text: string; retryAfterMs: number | null }>;

/**
 * Sorts an error by what to do next. `text` is safe to log: grammY's network errors carry the URL of the call, and with
 * it the bot token, so their message is never used.
 */
export function classify(error: unknown): Failure {
  if (!(error instanceof GrammyError)) return { kind: 'later', text: networkText(error), retryAfterMs: null };
  const text = `${error.method}: ${error.error_code} ${error.description}`;
  switch (error.error_code) {
    case 400:
      return { kind: kindOfRejection(error.description), text };
    // A token of the wrong shape is not even a route: 404.
    case 401:
    case 404:
      return { kind: 'unauthorized', text };
    case 403:
      return { kind: 'forbidden', text };
    case 409:
      return { kind: 'conflict', text };
    default: {
      const seconds = error.parameters.retry_after;
      return { kind: 'later', text, retryAfterMs: seconds === undefined ? null : seconds * 1000 };
    }
  }
}

/** The Bot API tells these cases apart in words only. */
function kindOfRejection(description: string): 'unmodified' | 'gone' | 'rejected' {
  if (/message is not modified/i.test(description)) return 'unmodified';
  if (/message to (edit|delete) not found|message can't be edited|MESSAGE_ID_INVALID/i.test(description)) return 'gone';
  return 'rejected';
}

function networkText(error: unknown): string {
  // Not from a call at all: the store, or a defect.
  if (!(error instanceof HttpError)) return `here: ${error instanceof Error ? error.name : 'unknown'}`;
  const cause = error.error;
  if (typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string') {
    return `network: ${cause.code}`;
  }
  return `network: ${cause instanceof Error ? cause.name : 'unknown'}`;
}

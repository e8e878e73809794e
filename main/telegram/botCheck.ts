import { Api } from 'grammy';
import { CodedError } from '../../contract/errors.ts';
import { classify } from './apiError.ts';
import { callSignal } from './signal.ts';

/** The bot behind a token; `username` without the @. */
export type BotFacts = Readonly<{ id: number; username: string }>;

const CHECK_TIMEOUT_MS = 10_000;
const tokenShape = /^\d{3,20}:[A-Za-z0-9_-]{20,200}$/;
/** What a link can be made of without a second look. */
const usernameShape = /^\w{3,64}$/;

export const isTokenShaped = (text: string): boolean => tokenShape.test(text);

/**
 * Asks Telegram whose token this is, and whether another program uses it. Throws CodedError with a sentence for the
 * owner, which never holds the token.
 */
export async function checkBot(token: string, apiRoot: string | null, stopped: AbortSignal): Promise<BotFacts> {
  const api = new Api(token, apiRoot === null ? {} : { apiRoot: apiRoot.replace(/\/+$/, '') });
  const signal = () => callSignal(CHECK_TIMEOUT_MS, stopped);
  try {
    const { id, username } = await api.getMe(signal());
    // Confirms nothing: whatever waits for the bot is still there afterwards. Refused where a webhook is set.
    await api.getUpdates({ timeout: 0, limit: 1 }, signal());
    if (usernameShape.test(username)) return { id, username };
  } catch (error) {
    throw refusal(classify(error));
  }
  throw new CodedError('invalid_request', 'Telegram names a bot that no link can lead to.');
}

function refusal(failure: ReturnType<typeof classify>): CodedError {
  if (failure.kind === 'unauthorized') {
    return new CodedError('invalid_request', 'Telegram does not know this token.', {
      hint: 'Copy it again from @BotFather, whole. A token that was revoked there does not work any more.',
    });
  }
  if (failure.kind === 'conflict') {
    return new CodedError('already_exists', 'Another program already uses this bot.', {
      hint: 'Stop it there, or make a new bot with @BotFather.',
    });
  }
  if (failure.text.startsWith('network:')) {
    return new CodedError('source_unavailable', `Telegram cannot be reached (${failure.text}).`, {
      hint: 'Look at the connection of this machine and try again.',
    });
  }
  return new CodedError('source_unavailable', `Telegram answered with an error (${failure.text}).`, {
    hint: 'Try again in a minute.',
  });
}

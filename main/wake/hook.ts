/** The wake endpoint of an OpenClaw gateway, set by the owner; loopback is the usual place. */
export type HookConfig = Readonly<{ url: string; token: string | null }>;

export type Delivery =
  | Readonly<{ ok: true; detail: string }>
  /** `retryAfterMs`: what the other side asked for. `detail` is safe to log and to show. */
  | Readonly<{ ok: false; detail: string; retryAfterMs: number | null }>;

const TIMEOUT_MS = 10_000;
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * Sends one wake text (docs of OpenClaw, "hooks": `POST /hooks/wake`). Never rejects. A redirect is not followed, since
 * it would carry the token to a place the owner did not name.
 */
export async function postWake(hook: HookConfig, text: string, stopped: AbortSignal): Promise<Delivery> {
  try {
    const response = await fetch(hook.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(hook.token === null ? {} : { authorization: `Bearer ${hook.token}` }),
      },
      body: JSON.stringify({ text, mode: 'now' }),
      redirect: 'manual',
      signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), stopped]),
    });
    await response.body?.cancel();
    return judge(response);
  } catch (error) {
    return { ok: false, detail: networkDetail(error), retryAfterMs: null };
  }
}

function judge(response: Response): Delivery {
  const { status } = response;
  if (response.ok) return { ok: true, detail: `the hook answered ${status}` };
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfterMs = seconds > 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : null;
  return { ok: false, detail: `the hook answered ${status}${hintFor(status)}`, retryAfterMs };
}

function hintFor(status: number): string {
  if (status >= 300 && status < 400) return ': a redirect is not followed, set OPENCLAW_HOOK_URL to the final address';
  if (status === 401 || status === 403) return ': check OPENCLAW_HOOK_TOKEN';
  if (status === 404 || status === 405) return ': check OPENCLAW_HOOK_URL, and that hooks are enabled in OpenClaw';
  return '';
}

/** By code only: the message of a bad header quotes the header, and with it the token. */
function networkDetail(error: unknown): string {
  if (!(error instanceof Error)) return 'the hook could not be reached';
  if (error.name === 'TimeoutError') return `the hook did not answer within ${TIMEOUT_MS / 1000} s`;
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : error.name;
  return `the hook could not be reached (${code})`;
}

import type { Answer, Bridge, IpcContract } from '../../contract/ipc.ts';

/** An answer of main that is not a value; `message` and `hint` are written for the owner. */
export class CallError extends Error {
  readonly code: string;
  readonly hint: string | null;

  constructor(error: Extract<Answer<never>, { ok: false }>['error']) {
    super(error.message);
    this.name = 'CallError';
    this.code = error.code;
    this.hint = error.hint ?? null;
  }
}

/** The value of a call, or a thrown CallError. */
export async function unwrap<Value>(answer: Promise<Answer<Value>>): Promise<Value> {
  const settled = await answer;
  if (settled.ok) return settled.value;
  throw new CallError(settled.error);
}

/** What to tell the owner about something that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof CallError) return error.hint === null ? error.message : `${error.message} ${error.hint}`;
  return 'Something went wrong in this window. Close it and open it again.';
}

export type Api<Contract extends IpcContract> = Bridge<Contract>;

/** What the preload of this view exposed. The type is the contract's promise; main checks every call in any case. */
export function preloadedApi<Contract extends IpcContract>(): Api<Contract> {
  return Reflect.get(window, 'oauth3');
}

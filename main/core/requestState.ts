import type { RequestState } from '../../contract/states.ts';

/** Every move a request can make, and nothing else. What has no moves is final. */
const moves: Readonly<Record<RequestState, readonly RequestState[]>> = {
  pending: ['approved', 'denied', 'expired', 'cancelled'],
  /** `failed` without a run: the engine went away, or the stored bytes do not hash to the digest. */
  approved: ['running', 'failed', 'interrupted'],
  running: ['success', 'failed', 'interrupted'],
  success: [],
  failed: [],
  denied: [],
  expired: [],
  cancelled: [],
  interrupted: [],
};

/** True when a request in state `from` may become `to`. */
export function canMove(from: RequestState, to: RequestState): boolean {
  return moves[from].includes(to);
}

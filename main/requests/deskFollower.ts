import type { RequestEvents } from '../core/runPorts.ts';
import type { DeskPort } from './ports.ts';
import { runOutcome } from './runOutcome.ts';

/**
 * Keeps the cards true to changes that the desk did not make: more time given, expired, cancelled by its agent or with
 * it. Decisions come from the desk itself. Returns the function that ends it.
 */
export function followRequests(
  events: Pick<RequestEvents, 'onChanged'>,
  desk: Pick<DeskPort, 'refresh' | 'ended'>,
): () => void {
  return events.onChanged((request) => {
    if (request.status === 'pending') desk.refresh('run', request.id);
    if (request.status !== 'expired' && request.status !== 'cancelled') return;
    const outcome = runOutcome(request);
    if (outcome !== null) desk.ended('run', request.id, outcome);
  });
}

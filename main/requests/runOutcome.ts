import type { CardOutcome } from '../../contract/card.ts';
import type { TrustLevel } from '../../contract/states.ts';
import { byWhom } from '../core/principal.ts';
import type { RequestRecord } from '../core/records.ts';

const approvedWords: Readonly<Record<TrustLevel, string>> = {
  once: 'Approved once',
  '24h': 'Trusted for 24 hours',
  forever: 'Always trusted',
};

/** How the card of a request ended, for a person; null while it waits. */
export function runOutcome(request: RequestRecord): CardOutcome | null {
  const by = request.decidedBy === null ? {} : { by: byWhom(request.decidedBy) };
  const whom = request.decidedBy === null ? '' : ` ${byWhom(request.decidedBy)}`;
  switch (request.status) {
    case 'pending':
      return null;
    case 'denied':
      return { kind: 'denied', verdict: 'deny', ...by, text: `Denied${whom}. Nothing was run.` };
    case 'expired':
      return { kind: 'expired', text: 'Expired without an answer. Nothing was run.' };
    case 'cancelled':
      return { kind: 'cancelled', text: 'Withdrawn before an answer. Nothing was run.' };
    case 'approved':
    case 'running':
    case 'success':
    case 'failed':
    case 'interrupted': {
      const level = request.decision === null || request.decision === 'deny' ? 'once' : request.decision;
      return { kind: 'approved', verdict: level, ...by, text: `${approvedWords[level]}${whom}.` };
    }
  }
}

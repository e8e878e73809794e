import { CodedError } from '../../contract/errors.ts';
import type { OwnerActions, TrustView } from '../../contract/owner.ts';
import type { TrustEntry } from '../core/records.ts';
import { isoTime, isoTimeOrNull } from '../core/times.ts';
import type { OwnerDeps } from './ports.ts';

function status(entry: TrustEntry, nowMs: number): TrustView['status'] {
  if (entry.revokedAt !== null) return 'revoked';
  if (entry.suspendedAt !== null) return 'suspended';
  return entry.expiresAt !== null && entry.expiresAt <= nowMs ? 'expired' : 'live';
}

type TrustActions = Pick<OwnerActions, 'trust' | 'revokeTrust' | 'revokeAllTrust'>;

/** Standing decisions: to see and to take back, never to make. */
export function trustActions({ records, clock }: OwnerDeps): TrustActions {
  return {
    trust() {
      const nowMs = clock.wallMs();
      const names = new Map(records.agents().map((agent) => [agent.id, agent.name]));
      return records.trustEntries().map((entry) => ({
        id: entry.id,
        agent: names.get(entry.agentId) ?? entry.agentId,
        skill_id: entry.skillId,
        code_hash: entry.codeHash,
        trust_key: entry.trustKey,
        level: entry.level,
        args_policy: entry.argsPolicy,
        granted_by: entry.principal,
        granted_at: isoTime(entry.approvedAt),
        expires_at: isoTimeOrNull(entry.expiresAt),
        last_used_at: isoTimeOrNull(entry.lastUsedAt),
        use_count: entry.useCount,
        status: status(entry, nowMs),
        reason: entry.suspendReason,
      }));
    },

    revokeTrust(principal, id) {
      if (records.trustEntry(id) === null) {
        throw new CodedError('not_found', 'There is no trust entry with this id', {
          hint: 'List them with: oauth3 trust list',
        });
      }
      records.revokeTrust(id, principal, clock.wallMs());
    },

    revokeAllTrust: (principal) => records.revokeAllTrust(principal, clock.wallMs()),
  };
}

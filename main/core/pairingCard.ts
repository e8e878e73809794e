import type { Card } from '../../contract/card.ts';
import { prose } from './prose.ts';
import type { AgentRecord, PairingRecord } from './records.ts';

/** The card of a program that wants to become an agent. `taken`: the live agent that has this name already. */
export function makePairingCard(pairing: PairingRecord, taken: Pick<AgentRecord, 'id'> | null): Card {
  return {
    subject: 'pairing',
    id: pairing.id,
    revision: pairing.id,
    createdAtMs: pairing.createdAt,
    expiresAtMs: pairing.expiresAt,
    sentence: prose`A program on this machine that calls itself ${pairing.name} wants to become an agent.`,
    changes: [],
    facts: [
      {
        key: 'code',
        label: 'Code',
        tone: 'notice',
        value: prose`${pairing.code}. Approve only if the program shows you the same code.`,
      },
      {
        key: 'power',
        label: 'It could then',
        tone: 'plain',
        value: prose`ask you to run code; it can approve nothing and read no secret`,
      },
      ...(taken === null
        ? []
        : [
            {
              key: 'taken',
              label: 'Name',
              tone: 'danger' as const,
              value: prose`an agent of this name exists (${taken.id}); deny this, or revoke that one first`,
            },
          ]),
    ],
    quotes: [],
    findings: [],
    missingSecrets: [],
    unboundSecrets: [],
    verdicts: taken === null ? ['approve', 'deny'] : ['deny'],
    seenBefore: false,
    hasArgs: false,
    anyArgs: false,
  };
}

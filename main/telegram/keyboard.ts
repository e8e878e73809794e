import { z } from 'zod';
import type { Card } from '../../contract/card.ts';
import type { Verdict } from '../../contract/states.ts';

/** What a button means. It stands in the database under a nonce; the chat only ever sees the nonce. */
export const actionSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('decide'), verdict: z.enum(['once', '24h', 'approve', 'deny']) }),
  /** First step of Always Trust: only changes the keyboard. */
  z.strictObject({ kind: z.literal('ask_forever') }),
  z.strictObject({ kind: z.literal('confirm_forever'), argsPolicy: z.enum(['exact', 'any']) }),
  z.strictObject({ kind: z.literal('back') }),
  z.strictObject({ kind: z.literal('view_code') }),
  z.strictObject({ kind: z.literal('add_secret'), name: z.string() }),
  z.strictObject({ kind: z.literal('bind'), name: z.string() }),
]);
export type Action = Readonly<z.infer<typeof actionSchema>>;

export type ButtonSpec = Readonly<{ label: string; action: Action }>;
export type Step = 'main' | 'confirm';
export type Keyboard = readonly (readonly ButtonSpec[])[];

const MAX_LABEL = 60;

const verdictButtons: readonly Readonly<{ verdict: Verdict } & ButtonSpec>[] = [
  { verdict: 'once', label: '✅ Run Once', action: { kind: 'decide', verdict: 'once' } },
  { verdict: '24h', label: '⏱ Trust 24h', action: { kind: 'decide', verdict: '24h' } },
  { verdict: 'forever', label: '🔒 Always Trust', action: { kind: 'ask_forever' } },
  { verdict: 'approve', label: '✅ Approve', action: { kind: 'decide', verdict: 'approve' } },
  { verdict: 'deny', label: '❌ Deny', action: { kind: 'decide', verdict: 'deny' } },
];

/** Buttons of a card (INTERFACES 4). Only what the card can take right now is offered. */
export function keyboardOf(card: Card, step: Step): Keyboard {
  if (step === 'confirm' && card.verdicts.includes('forever')) return confirmRows(card);
  const verdicts = verdictButtons.filter(({ verdict }) => card.verdicts.includes(verdict));
  const rows: Keyboard = [
    verdicts.map(({ label, action }) => ({ label, action })),
    card.code === undefined ? [] : [{ label: '📄 View code', action: { kind: 'view_code' } }],
    ...card.missingSecrets.map((name): readonly ButtonSpec[] => [
      { label: `🔑 Add ${name}`, action: { kind: 'add_secret', name } },
    ]),
    ...card.unboundSecrets.map(({ name, hosts }): readonly ButtonSpec[] => [
      { label: bindLabel(name, hosts), action: { kind: 'bind', name } },
    ]),
  ];
  return rows.filter((row) => row.length > 0);
}

/** The plain confirmation trusts these very arguments; any arguments is a widening with a button of its own. */
function confirmRows(card: Card): Keyboard {
  const confirm: ButtonSpec = {
    label: '🔒 Confirm Always',
    action: { kind: 'confirm_forever', argsPolicy: 'exact' },
  };
  const widen: ButtonSpec = {
    label: '🔒 Confirm Always, any arguments',
    action: { kind: 'confirm_forever', argsPolicy: 'any' },
  };
  const first = [confirm, { label: '↩ Back', action: { kind: 'back' } }] as const;
  return card.anyArgs ? [first, [widen]] : [first];
}

/** All hosts, or how many: the card's text names each of them in any case. */
function bindLabel(name: string, hosts: readonly string[]): string {
  const full = `🔗 Put ${name} → ${hosts.join(', ')}`;
  return full.length <= MAX_LABEL || hosts.length === 1 ? full : `🔗 Put ${name} → the ${hosts.length} hosts above`;
}

import type { AuditRow } from '../../contract/owner.ts';

type Row = Pick<AuditRow, 'kind' | 'actor' | 'payload' | 'agent' | 'skill_id'>;
type Sentence = (row: Row) => string;

const agentOf = ({ agent }: Row): string => agent ?? 'An agent that is gone';
const skillOf = ({ skill_id, payload }: Row): string =>
  skill_id ?? text(payload, 'skill_id') ?? 'a request that was pruned';
const wish = (row: Row): string => (row.agent === null ? skillOf(row) : `${skillOf(row)} for ${row.agent}`);
const nameOf = ({ payload }: Row): string => text(payload, 'name') ?? 'one that has no name any more';

/** What each kind of event says; one that is not here shows its kind alone. */
const sentences: Readonly<Record<string, Sentence>> = {
  'agent.added': (row) => `Added the agent ${nameOf(row)}`,
  'agent.paused': (row) => `Paused ${agentOf(row)}`,
  'agent.resumed': (row) => `Let ${agentOf(row)} go on`,
  'agent.revoked': (row) => `Revoked ${agentOf(row)}`,
  'agent.token_rotated': (row) => `Gave ${agentOf(row)} a new token`,
  'audit.tampered': (row) =>
    `The log was changed by another hand: ${text(row.payload, 'reason') ?? 'it no longer fits'}`,
  'binding.confirmed': (row) => `Confirmed where a secret may go, on the card of ${wish(row)}`,
  'decision.refused': (row) =>
    `Did not take a decision about ${wish(row)}: ${text(row.payload, 'reason') ?? 'refused'}`,
  'image.made': (row) => `Made the sandbox image for ${text(row.payload, 'runtime') ?? 'a runtime'}`,
  'pairing.asked': (row) => `${nameOf(row)} asked to be added as an agent`,
  'pairing.approved': (row) => `Added ${agentOf(row)} by pairing`,
  'pairing.denied': () => 'Turned a pairing down',
  'pairing.expired': () => 'A pairing waited too long',
  'pairing.collected': (row) => `${agentOf(row)} collected its token`,
  panic: () => 'Stopped everything: runs, trust and agents',
  'request.created': (row) => `${agentOf(row)} asked to run ${skillOf(row)}`,
  'request.trusted': (row) => `${agentOf(row)} asked to run ${skillOf(row)}, which trust allowed at once`,
  'request.approved': (row) => `Approved ${wish(row)}${howLong(row)}`,
  'request.denied': (row) => `Denied ${wish(row)}${because(row)}`,
  'request.expired': (row) => `Nobody decided about ${wish(row)} in time`,
  'request.cancelled': (row) => `${wish(row)} was taken back`,
  'request.extended': (row) => `Gave ${wish(row)} more time`,
  'request.refreshed': (row) => `${wish(row)} was looked at again, because a secret or its hosts changed`,
  'run.started': (row) => `Began to run ${wish(row)}`,
  'run.finished': (row) =>
    text(row.payload, 'status') === 'success' ? `${wish(row)} ran to its end` : `${wish(row)} failed`,
  'run.interrupted': (row) => `${wish(row)} was interrupted when OAuth3 ended`,
  'run.killed': (row) => `Stopped ${wish(row)}`,
  'run.refused': (row) => `${wish(row)} was approved and could not start`,
  'run.digest_mismatch': (row) => `${wish(row)} was not what had been approved, and did not run`,
  'run.tripwire': (row) => `Stopped ${wish(row)}: it tried to send a secret where it does not belong`,
  'secret.added': (row) => `Added the secret ${nameOf(row)}`,
  'secret.bound': (row) => `Changed where ${nameOf(row)} may go`,
  'secret.delivery_set': (row) => `Changed how ${nameOf(row)} is handed over`,
  'secret.removed': (row) => `Deleted the secret ${nameOf(row)}`,
  'secret.value_replaced': (row) => `Replaced the value of ${nameOf(row)}`,
  'setting.changed': settingText,
  'source.fetched': (row) => `${agentOf(row)} had code fetched from its address`,
  'telegram.connected': (row) => `Connected Telegram${botOf(row)}`,
  'telegram.disconnected': (row) => `Disconnected Telegram${botOf(row)}`,
  'telegram.member_added': (row) =>
    text(row.payload, 'member') === 'person'
      ? `Let ${nameOf(row)} decide in Telegram`
      : `Sent cards to the Telegram group ${nameOf(row)} from then on`,
  'telegram.member_removed': (row) => `Took ${nameOf(row)} out of Telegram`,
  'telegram.refused': () => 'Refused somebody in Telegram',
  'telegram.token_replaced': (row) => `Gave Telegram another token${botOf(row)}`,
  'trust.replaced': () => 'Newer trust took the place of older',
  'trust.revoked': (row) => `Took back the trust in ${wish(row)}`,
  'trust.revoked_all': () => 'Took back all trust',
  'trust.suspended': (row) => `Suspended the trust in ${wish(row)}`,
  'vault.created': () => 'Made the vault',
  'vault.locked': () => 'Locked the vault',
  'vault.passphrase_set': () => 'Set the passphrase of the vault',
  'vault.slot_added': () => 'Added a way to open the vault',
  'vault.slot_removed': () => 'Took away a way to open the vault',
  'vault.unlocked': () => 'Unlocked the vault',
  'wake.delivered': (row) => `Told the agent about ${wish(row)}`,
  'wake.given_up': (row) => `Could not tell the agent about ${wish(row)}`,
};

export const toldKinds: readonly string[] = Object.keys(sentences);

/** What happened, in words: text from outside, still to be made safe to show. Known kinds only; else the kind. */
export function auditSentence(row: Row): string {
  const sentence = Object.hasOwn(sentences, row.kind) ? sentences[row.kind] : undefined;
  if (row.payload === null && row.kind.startsWith('secret.')) return `${row.kind} (what it was about was pruned)`;
  return sentence?.(row) ?? row.kind;
}

const principals: Readonly<Record<string, string>> = {
  desktop: 'You, in the app',
  cli: 'You, on the command line',
  broker: 'OAuth3',
};

/** Who did it, in words. */
export function auditActor({ actor, agent }: Pick<AuditRow, 'actor' | 'agent'>): string {
  const known =
    (Object.hasOwn(principals, actor) ? principals[actor] : undefined) ??
    /^telegram:(-?\d+)$/.exec(actor)?.[1]?.replace(/^/, 'Telegram user ');
  if (known !== undefined) return known;
  return actor.startsWith('agent:') && agent !== null ? agent : actor;
}

function botOf({ payload }: Row): string {
  const username = text(payload, 'username');
  return username === null ? '' : `, bot @${username}`;
}

function howLong({ payload }: Row): string {
  const decision = text(payload, 'decision');
  if (decision === '24h') return ' and trusts it for 24 hours';
  return decision === 'forever' ? ' and trusts it always' : '';
}

function because({ payload }: Row): string {
  const reason = text(payload, 'reason');
  return reason === null ? '' : `: ${reason}`;
}

/** Pausing is a setting that outlives the app; for the owner it is a thing of its own. */
function settingText({ payload }: Row): string {
  const value: unknown = typeof payload === 'object' && payload !== null ? Reflect.get(payload, 'value') : null;
  const key = text(payload, 'key') ?? '';
  if (key === 'paused') return value === true ? 'Paused everything' : 'Resumed after a pause';
  if (value === null) return `Set ${key} back to its default`;
  return typeof value === 'object' ? `Changed the setting ${key}` : `Set ${key} to ${value}`;
}

function text(payload: unknown, field: string): string | null {
  const value: unknown = typeof payload === 'object' && payload !== null ? Reflect.get(payload, field) : null;
  return typeof value === 'string' ? value : null;
}

/** What an event can be found by besides its text. `group` is the kind up to its dot. */
export const auditFacets = ['agent', 'skill', 'secret', 'host', 'kind', 'group'] as const;
export type AuditFacet = (typeof auditFacets)[number];

/** What else is known about the request that an event is about; empty when it is about none, or that was pruned. */
export type AboutRequest = Readonly<{
  agent: string | null;
  skill: string | null;
  secrets: readonly string[];
  hosts: readonly string[];
  createdAt: number | null;
}>;

export const aboutNothing: AboutRequest = { agent: null, skill: null, secrets: [], hosts: [], createdAt: null };

export type IndexedEvent = Readonly<{
  seq: number;
  at: number;
  actor: string;
  kind: string;
  requestId: string | null;
  payload: unknown;
}>;

export type AuditFacts = Readonly<{
  facets: readonly (readonly [AuditFacet, string])[];
  /** All that the search finds it by. */
  words: string;
  /** What it counts as in the statistics, null: nothing. */
  counts: AuditCount | null;
  /** Of a decision of the owner: how long the request had waited. */
  tookMs: number | null;
}>;

export const auditCounts = ['asked', 'trusted', 'approved', 'denied', 'expired', 'succeeded', 'failed'] as const;
export type AuditCount = (typeof auditCounts)[number];

const countOf: Readonly<Record<string, AuditCount>> = {
  'request.created': 'asked',
  'request.trusted': 'trusted',
  'request.approved': 'approved',
  'request.denied': 'denied',
  'request.expired': 'expired',
  'run.refused': 'failed',
  'run.interrupted': 'failed',
};

/** All that the index holds of one event. `agentName`: of the agent that the event itself names. */
export function auditFacts(event: IndexedEvent, about: AboutRequest, agentName: string | null): AuditFacts {
  const { kind, payload } = event;
  const name = textOf(payload, 'name');
  const agents = [
    agentName,
    about.agent,
    textOf(payload, 'agent'),
    kind.startsWith('agent.') || kind.startsWith('pairing.') ? name : null,
  ];
  const secrets = [...about.secrets, ...textsOf(payload, 'secrets'), kind.startsWith('secret.') ? name : null];
  const hosts = [...about.hosts, ...textsOf(payload, 'hosts'), textOf(payload, 'host')].map(withoutPort);
  const facets = [
    ...each('kind', [kind]),
    ...each('group', [kindGroup(kind)]),
    ...each('agent', agents),
    ...each('skill', [about.skill, textOf(payload, 'skill_id')]),
    ...each('secret', secrets),
    ...each('host', hosts),
  ];
  const decided = kind === 'request.approved' || kind === 'request.denied';
  return {
    facets,
    words: [event.actor, event.requestId ?? '', ...facets.map(([, value]) => value), ...textsIn(payload)]
      .join(' ')
      .replaceAll('\0', ' '),
    counts: kind === 'run.finished' ? finished(payload) : (countOf[kind] ?? null),
    tookMs: decided && about.createdAt !== null ? Math.max(0, event.at - about.createdAt) : null,
  };
}

/** `request.created` -> `request`; a kind without a dot is its own group. */
export const kindGroup = (kind: string): string => kind.split('.')[0] ?? kind;

/** Host rules are kept by their name: who looks for a host means it at any port. */
const withoutPort = (host: string | null): string | null => host?.replace(/:\d{1,5}$/, '') ?? null;

const finished = (payload: unknown): AuditCount => (textOf(payload, 'status') === 'success' ? 'succeeded' : 'failed');

function each(facet: AuditFacet, values: readonly (string | null)[]): readonly (readonly [AuditFacet, string])[] {
  return [...new Set(values)].filter((value) => value !== null && value !== '').map((value) => [facet, value ?? '']);
}

function fieldOf(payload: unknown, field: string): unknown {
  return typeof payload === 'object' && payload !== null ? Reflect.get(payload, field) : undefined;
}

function textOf(payload: unknown, field: string): string | null {
  const value = fieldOf(payload, field);
  return typeof value === 'string' ? value : null;
}

function textsOf(payload: unknown, field: string): readonly string[] {
  const value = fieldOf(payload, field);
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** Every text and number in it, without the names of its fields: those are ours and in every event. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

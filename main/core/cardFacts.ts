import type { Card, CardCode, CardFact } from '../../contract/card.ts';
import type { Segment } from '../../contract/display.ts';
import { type Runtime, runtimeNames } from '../../contract/runtime.ts';
import { type Blockers, isBlocked } from './blockers.ts';
import { changeFact, changesOf, type LastApproved } from './cardChanges.ts';
import { networkFacts } from './cardNetwork.ts';
import { secretFacts } from './cardSecrets.ts';
import type { ReadCode } from './codeChanges.ts';
import { toCodeLines, toSegments } from './display.ts';
import { formatHostRule } from './host.ts';
import type { Manifest } from './manifestTypes.ts';
import { bindableRules } from './networkRules.ts';
import { listInProse, prose } from './prose.ts';
import type { AgentRecord, RequestRecord, SecretRecord } from './records.ts';
import { type TrafficLimits, unsaidTraffic } from './traffic.ts';

export type RunCardInput = Readonly<{
  request: Pick<RequestRecord, 'id' | 'createdAt' | 'expiresAt' | 'manifestDigest'>;
  manifest: Manifest;
  agent: Pick<AgentRecord, 'id' | 'name'>;
  code: CardCode;
  /** The same code with what was seen in it. */
  read: ReadCode;
  findings: Card['findings'];
  /** The code may run text as code, or could not be read well enough to rule it out. */
  runsText: boolean;
  blockers: Blockers;
  secretOf: (name: string) => SecretRecord | null;
  lastApproved: LastApproved | null;
  /** This very trust key was approved before. */
  seenBefore: boolean;
  /** Names that the owner declared as local services. */
  localNames: ReadonlySet<string>;
  /** What the isolation does not enforce on this machine, a sentence each. */
  isolationNotes: readonly string[];
}>;

/** What the owner decides about, facts first. Computed from the manifest; the agent's words appear as quotes only. */
export function makeRunCard(input: RunCardInput): Card {
  const { request, manifest, blockers, lastApproved } = input;
  const boundHosts = manifest.secrets.flatMap(({ name }) => input.secretOf(name)?.binding.hosts ?? []);
  const changes = changesOf({ manifest, code: input.read, last: lastApproved, boundHosts });
  const description = manifest.shown.description;
  return {
    subject: 'run',
    id: request.id,
    revision: request.manifestDigest,
    createdAtMs: request.createdAt,
    expiresAtMs: request.expiresAt,
    sentence: sentenceOf(input),
    changes,
    facts: [
      agentFact(input),
      changeFact(lastApproved, changes.length, input.seenBefore),
      ...secretFacts(manifest, input.secretOf, blockers),
      ...networkFacts(manifest, input.localNames),
      argumentsFact(manifest),
      limitsFact(manifest),
      isolationFact(manifest, input.isolationNotes),
      ...sourceFacts(manifest),
    ],
    quotes: description === '' ? [] : [{ label: 'The agent says', text: toSegments(description, { multiline: true }) }],
    code: input.code,
    ...earlierCode(manifest, lastApproved),
    findings: input.findings,
    missingSecrets: blockers.missing,
    bindableHosts: bindableRules(manifest.network).map(formatHostRule),
    unboundSecrets: blockers.unbound,
    verdicts: isBlocked(blockers) ? ['deny'] : ['once', '24h', 'forever', 'deny'],
    seenBefore: input.seenBefore,
    hasArgs: manifest.args.json !== '{}',
    anyArgs: manifest.args.json !== '{}' && !input.runsText,
  };
}

/** Code of the last approved version, to compare with: none when it is the same or no longer kept. */
function earlierCode(manifest: Manifest, last: LastApproved | null): Pick<Card, 'earlier'> {
  if (last?.code === undefined || last.manifest.code.sha256 === manifest.code.sha256) return {};
  const lines = toCodeLines(last.code.text);
  return { earlier: { sha256: last.manifest.code.sha256, approvedAtMs: last.decidedAtMs, lines } };
}

const languages: Readonly<Record<Runtime, string>> = {
  deno: 'typescript',
  quickjs: 'typescript',
  node: 'javascript',
  python: 'python',
};

/** Code as the card shows it: every line, what cannot be seen marked. */
export function makeCardCode(manifest: Pick<Manifest, 'code' | 'runtime'>, text: string): CardCode {
  return {
    sha256: manifest.code.sha256,
    bytes: manifest.code.length,
    language: languages[manifest.runtime],
    lines: toCodeLines(text),
  };
}

// More than this is a list, not a sentence; the facts below name every one.
const maxNamed = 4;

function named(items: readonly string[], plural: string): readonly Segment[] {
  return items.length <= maxNamed ? listInProse(items) : prose`${items.length} ${plural}`;
}

function sentenceOf({ agent, manifest }: RunCardInput): readonly Segment[] {
  const secrets = manifest.secrets.map((secret) => secret.name);
  const hosts = manifest.network.map(formatHostRule);
  const withSecrets = secrets.length === 0 ? prose`without secrets` : prose`with ${named(secrets, 'secrets')}`;
  const towards = hosts.length === 0 ? prose`and without network` : prose`towards ${named(hosts, 'hosts')}`;
  return prose`${agent.name} wants to run ${manifest.skillId} once ${withSecrets} ${towards}.`;
}

function agentFact({ agent }: RunCardInput): CardFact {
  // Names can look alike; the id is what is decided about.
  return { key: 'agent', label: 'Agent', tone: 'plain', value: prose`${agent.name} (${agent.id})` };
}

function argumentsFact({ args }: Manifest): CardFact {
  const value = args.json === '{}' ? prose`none` : toSegments(args.json);
  return { key: 'args', label: 'Arguments', tone: 'plain', value };
}

function limitsFact({ limits, isolation, network, traffic = unsaidTraffic }: Manifest): CardFact {
  // Nothing bounds the processor time of a process of ours; its one thread of code takes what there is of one.
  const cpu = isolation.actual === 'embedded' ? 'up to one CPU' : `${limits.cpus} CPU`;
  const own = prose`${limits.timeoutMs / 1000} s, ${limits.memoryMb} MB of memory, ${cpu}`;
  const value = network.length === 0 ? own : [...own, ...trafficOf(traffic)];
  return { key: 'limits', label: 'Limits', tone: 'plain', value };
}

function trafficOf({ requests, open, bytesIn, bytesOut }: TrafficLimits): readonly Segment[] {
  const mb = (bytes: number): number => Math.round(bytes / (1024 * 1024));
  return prose`; ${requests} requests, ${open} at a time, ${mb(bytesIn)} MB received, ${mb(bytesOut)} MB sent`;
}

function isolationFact({ isolation, runtime }: Manifest, notes: readonly string[]): CardFact {
  const fact = { key: 'isolation', label: 'Runs in' } as const;
  const name = runtimeNames[runtime];
  const tone = notes.length === 0 ? 'plain' : 'notice';
  const noted = (value: readonly Segment[]): readonly Segment[] => [
    ...value,
    ...notes.flatMap((note) => prose`. ${note.replace(/\.$/, '')}`),
  ];
  switch (isolation.actual) {
    case 'embedded':
      return {
        ...fact,
        tone: 'notice',
        value: prose`the embedded sandbox (${name} in a process of its own), which is a weaker wall than a container`,
      };
    case 'container':
      return { ...fact, tone, value: noted(prose`a container of its own, with ${name}`) };
    case 'gvisor':
      return { ...fact, tone, value: noted(prose`a container of its own under gVisor, with ${name}`) };
    case 'kata':
      return { ...fact, tone, value: noted(prose`a container of its own under Kata, with ${name}`) };
  }
}

function sourceFacts({ shown }: Manifest): readonly CardFact[] {
  if (shown.skillUrl === '') return [];
  const { skillUrl, fetchedFrom } = shown;
  if (fetchedFrom === undefined) {
    return [{ key: 'source', label: 'Source named by the agent', tone: 'plain', value: toSegments(skillUrl) }];
  }
  // After redirects the host in the URL is not the one that the code came from.
  const redirected = fetchedFrom !== new URL(skillUrl).host;
  const value = redirected ? prose`${fetchedFrom}, where ${skillUrl} led` : toSegments(skillUrl);
  return [{ key: 'source', label: 'Code fetched from', tone: 'plain', value }];
}

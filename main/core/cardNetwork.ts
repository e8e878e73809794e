import type { CardFact } from '../../contract/card.ts';
import { compareHostRules, defaultPort, formatHostRule, type HostRule, isEchoHost } from './host.ts';
import type { Manifest } from './manifestTypes.ts';
import { namesHost } from './networkRules.ts';
import { listInProse, prose } from './prose.ts';

/** Where the code may connect, and what is special about it. Nothing is left out: no "and 12 more". */
export function networkFacts(manifest: Manifest, localNames: ReadonlySet<string>): readonly CardFact[] {
  const { network } = manifest;
  if (network.length === 0) {
    return [{ key: 'network', label: 'Network', tone: 'plain', value: prose`none: the code cannot connect anywhere` }];
  }
  const rules = orderedRules(manifest);
  const names = (chosen: readonly HostRule[]) => listInProse(chosen.map(formatHostRule));
  // Only where a secret was bound after the request came; the gateway refuses it (ATTACKS B49).
  const isBound = ({ host }: HostRule): boolean => manifest.secrets.some(({ hosts }) => namesHost(hosts, host));
  const isForeign = (host: string): boolean => host.split('.').some((label) => label.startsWith('xn--'));
  const note = (key: string, holds: (rule: HostRule) => boolean, tone: CardFact['tone'], text: string): CardFact[] => {
    const chosen = rules.filter(holds);
    return chosen.length === 0 ? [] : [{ key, label: 'Note', tone, value: prose`${names(chosen)}: ${text}` }];
  };
  return [
    {
      key: 'network',
      label: 'Network',
      tone: 'plain',
      value: prose`${names(rules)}; the code can send there whatever it can read`,
    },
    ...note('network_echo', ({ host }) => isEchoHost(host), 'danger', 'shows or passes on what it is sent, to anybody'),
    ...note(
      'network_websocket',
      (rule) => rule.ws === true && !isBound(rule),
      'notice',
      'the code may keep a two-way connection (WebSocket) open there, and what passes through it is not checked',
    ),
    ...note(
      'network_websocket_refused',
      (rule) => rule.ws === true && isBound(rule),
      'notice',
      'the code asks for a two-way connection (WebSocket), which it does not get: a secret goes there',
    ),
    ...note('network_wildcard', ({ host }) => host.startsWith('*.'), 'notice', 'any one name below, whoever runs it'),
    ...note('network_local', ({ host }) => localNames.has(host), 'notice', 'a local service of yours'),
    ...note(
      'network_foreign',
      ({ host }) => isForeign(host),
      'notice',
      'letters of another script that may look alike',
    ),
    ...note('network_port', ({ port }) => port !== defaultPort, 'notice', 'not the usual https port'),
  ];
}

/** Wildcards first, then hosts that get a secret, then by registered domain, so that an odd one stands out. */
function orderedRules({ network, secrets }: Manifest): readonly HostRule[] {
  const bearing = new Set(secrets.flatMap((secret) => secret.hosts.map(formatHostRule)));
  const rank = (rule: HostRule): number => (rule.host.startsWith('*.') ? 0 : bearing.has(formatHostRule(rule)) ? 1 : 2);
  return network.toSorted((left, right) => rank(left) - rank(right) || compareHostRules(left, right));
}

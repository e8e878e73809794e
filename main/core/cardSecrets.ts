import type { CardFact } from '../../contract/card.ts';
import type { Segment } from '../../contract/display.ts';
import type { Blockers } from './blockers.ts';
import { formatHostRule } from './host.ts';
import type { Manifest, ManifestSecret, SecretPlaces } from './manifestTypes.ts';
import { listInProse, prose } from './prose.ts';
import type { SecretRecord } from './records.ts';
import { wellKnownHeadersOfRule } from './wellKnown.ts';

type SecretOf = (name: string) => SecretRecord | null;

/** Which secret goes where: one fact a secret, what weighs most first. */
export function secretFacts(manifest: Manifest, secretOf: SecretOf, blockers: Blockers): readonly CardFact[] {
  if (manifest.secrets.length === 0) {
    return [{ key: 'secrets', label: 'Secrets', tone: 'plain', value: prose`none` }];
  }
  const facts = manifest.secrets.map((secret) => secretFact(secret, manifest, secretOf, blockers));
  return facts.toSorted((left, right) => weight(right) - weight(left));
}

const weight = (fact: CardFact): number => ({ danger: 2, notice: 1, plain: 0 })[fact.tone];

function secretFact(secret: ManifestSecret, manifest: Manifest, secretOf: SecretOf, blockers: Blockers): CardFact {
  const fact = { key: `secret:${secret.name}`, label: `Secret ${secret.name}` };
  if (secret.secretId === null) {
    return { ...fact, tone: 'notice', value: prose`you have not added it yet` };
  }
  if (secret.delivery === 'raw') {
    const reach =
      manifest.network.length === 0
        ? prose`it has no network, but its output goes to the agent`
        : prose`it can send it to every host below`;
    return { ...fact, tone: 'danger', value: prose`the code gets the real value: ${reach}` };
  }
  if (secret.binding !== 'none') {
    const kept = secret.binding === 'request' ? prose` (confirmed on this card)` : [];
    const hosts = listInProse(secret.hosts.map(formatHostRule));
    return { ...fact, tone: 'plain', value: prose`goes to ${hosts} in ${placesOf(secret)}${kept}` };
  }
  if (blockers.unbound.some((unbound) => unbound.name === secret.name)) {
    return { ...fact, tone: 'notice', value: prose`is not bound to any host yet; confirm where it may go` };
  }
  const elsewhere = secretOf(secret.name)?.binding.hosts ?? [];
  if (elsewhere.length === 0) return { ...fact, tone: 'notice', value: prose`goes nowhere: no host it could go to` };
  return {
    ...fact,
    tone: 'notice',
    value: prose`stays out: it is bound to ${listInProse(elsewhere)}, which this request does not call`,
  };
}

function placesOf({ hosts, places }: ManifestSecret): readonly Segment[] {
  const wellKnown = hosts.flatMap((rule) => wellKnownHeadersOfRule(rule.host));
  const headers = [...new Set(['authorization', ...wellKnown, ...places.headers])];
  const parts: readonly Segment[][] = [[...prose`the ${listInProse(headers, ' or ')} header`], ...otherPlaces(places)];
  return listInProse(parts, ' or ');
}

function otherPlaces(places: SecretPlaces): Segment[][] {
  const named = (kind: string, names: readonly string[]): Segment[][] =>
    names.length === 0 ? [] : [[...prose`the ${kind} ${listInProse(names, ' or ')}`]];
  return [
    ...named('query parameter', places.query),
    ...(places.path ? [[...prose`the path of the URL`]] : []),
    ...named('JSON field', places.json),
    ...named('form field', places.form),
  ];
}

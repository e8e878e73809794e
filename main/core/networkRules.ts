import { type HostRule, HostSyntaxError, isEchoHost, matchesHostRule, parseHostRule } from './host.ts';

/** Sorted by host and port, each once (with WebSocket when one says so): lists that mean the same become the same. */
export function sortRules(rules: readonly HostRule[]): readonly HostRule[] {
  const plainFirst = rules.toSorted((left, right) => Number(left.ws ?? false) - Number(right.ws ?? false));
  const unique = new Map(plainFirst.map((rule) => [`${rule.host}:${rule.port}`, rule]));
  return [...unique.values()].sort((left, right) =>
    left.host === right.host ? left.port - right.port : left.host < right.host ? -1 : 1,
  );
}

/** The rule for requests alone, without a WebSocket. */
export const requestsOnly = ({ host, port }: HostRule): HostRule => ({ host, port });

/** True when any of the rules names this canonical host, on whatever port. */
export function namesHost(rules: readonly HostRule[], host: string): boolean {
  return rules.some((rule) => matchesHostRule(rule, host, rule.port));
}

/**
 * The rules of a network list that the owner may bind a secret to. Not those that show what they get to others, and not
 * those with a WebSocket, which nobody can look into for an echo of it (ATTACKS B49).
 */
export function bindableRules(network: readonly HostRule[]): readonly HostRule[] {
  return network.filter((rule) => rule.ws !== true && !isEchoHost(rule.host));
}

/** What both lists allow: of two rules that overlap, the narrower one, for requests. */
export function narrowRules(left: readonly HostRule[], right: readonly HostRule[]): readonly HostRule[] {
  return sortRules(left.flatMap((a) => right.flatMap((b) => overlap(a, b).map(requestsOnly))));
}

function overlap(a: HostRule, b: HostRule): readonly HostRule[] {
  if (a.port !== b.port) return [];
  if (a.host === b.host) return [a];
  // A wildcard stands for one label, so it holds plain hosts only and never another wildcard.
  if (!a.host.startsWith('*.') && matchesHostRule(b, a.host, a.port)) return [a];
  if (!b.host.startsWith('*.') && matchesHostRule(a, b.host, b.port)) return [b];
  return [];
}

/**
 * Rules that were stored as text. One that cannot be read any more (a local service that the owner removed) allows
 * nothing; local names count as declared when the request's own network, checked before, names them.
 */
export function readStoredRules(texts: readonly string[], network: readonly HostRule[]): readonly HostRule[] {
  const localNames = new Set(network.map((rule) => rule.host));
  return texts.flatMap((text) => {
    try {
      return [parseHostRule(text, { localNames })];
    } catch (error) {
      if (error instanceof HostSyntaxError) return [];
      throw error;
    }
  });
}

import { type HostRule, HostSyntaxError, matchesHostRule, parseHostRule } from './host.ts';

/** Sorted by host and port, each once: lists that mean the same become the same. */
export function sortRules(rules: readonly HostRule[]): readonly HostRule[] {
  const unique = new Map(rules.map((rule) => [`${rule.host}:${rule.port}`, rule]));
  return [...unique.values()].sort((left, right) =>
    left.host === right.host ? left.port - right.port : left.host < right.host ? -1 : 1,
  );
}

/** What both lists allow: of two rules that overlap, the narrower one. */
export function narrowRules(left: readonly HostRule[], right: readonly HostRule[]): readonly HostRule[] {
  return sortRules(left.flatMap((a) => right.flatMap((b) => overlap(a, b))));
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

import { parse } from 'tldts';
import { echoDomains } from './echoHosts.ts';

/**
 * Where code may connect: a canonical host, or `*.` and a host for exactly one more label, and one port. `ws`: besides
 * requests, a WebSocket may stay open to it. It is left out where it does not hold, so that digests stay what they are.
 */
export type HostRule = Readonly<{ host: string; port: number; ws?: true }>;

export type HostRuleOptions = Readonly<{
  /** Canonical names or addresses that the owner declared as local services. Nothing else local can be named. */
  localNames?: ReadonlySet<string>;
}>;

/** The text is not a host that we let anybody name. `reason` is a plain sentence for the caller. */
export class HostSyntaxError extends Error {
  readonly code = 'invalid_host';
  readonly input: string;
  readonly reason: string;

  constructor(input: string, reason: string) {
    super(`Invalid host ${JSON.stringify(input.slice(0, 300))}: ${reason}`);
    this.name = 'HostSyntaxError';
    this.input = input;
    this.reason = reason;
  }
}

const maxNameLength = 253;
// No underscore: such names hold no certificate, and every parser treats them differently.
const asciiLabel = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
// WHATWG URL: a host whose last label looks like this is an IPv4 address in one of its many spellings.
const numericLabel = /^(?:[0-9]+|0x[0-9a-f]*)$/;
const dottedQuad = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/;
const ascii = /^\p{ASCII}*$/u;
const oddCharacter = /[^\p{L}\p{N}\p{M}.-]|\p{Default_Ignorable_Code_Point}/u;

function hostThroughUrl(input: string, host: string): string {
  try {
    return new URL(`https://${host}/`).hostname;
  } catch {
    throw new HostSyntaxError(input, 'it is not a valid host name');
  }
}

/** One label of an international name as punycode. Refuses letters that only look foreign and fold to plain ASCII. */
function labelToAscii(input: string, label: string): string {
  if (ascii.test(label)) return label.toLowerCase();
  const punycode = hostThroughUrl(input, label);
  if (punycode.includes('.') || !punycode.startsWith('xn--')) {
    throw new HostSyntaxError(input, 'it holds characters that disguise a plain host name');
  }
  return punycode;
}

/**
 * The one spelling of a host as seen on the wire: lower case, punycode, no trailing dot. An IP address is accepted in its
 * canonical spelling only (`1.2.3.4`, `[::1]`); no rule matches it unless a rule names it.
 * Throws HostSyntaxError for anything that two parsers could read differently.
 */
export function canonicalHost(text: string): string {
  if (text.length === 0) throw new HostSyntaxError(text, 'it is empty');
  if (text.length > maxNameLength + 1) throw new HostSyntaxError(text, 'it is longer than 253 characters');
  if (text.startsWith('[')) {
    if (hostThroughUrl(text, text) !== text.toLowerCase()) {
      throw new HostSyntaxError(text, 'write the IPv6 address in its shortest form in brackets');
    }
    return text.toLowerCase();
  }
  if (oddCharacter.test(text)) {
    throw new HostSyntaxError(text, 'only letters, digits, dots and hyphens may stand in a host name');
  }
  const labels = (text.endsWith('.') ? text.slice(0, -1) : text).split('.').map((label) => labelToAscii(text, label));
  const host = labels.join('.');
  const last = labels[labels.length - 1] ?? '';
  if (numericLabel.test(last)) {
    if (!dottedQuad.test(host)) throw new HostSyntaxError(text, 'it is an IP address in an unusual spelling');
    return host;
  }
  if (host.length > maxNameLength) throw new HostSyntaxError(text, 'it is longer than 253 characters');
  if (!labels.every((label) => asciiLabel.test(label))) {
    throw new HostSyntaxError(text, 'a part between the dots is empty, too long, or starts or ends with a hyphen');
  }
  // Whoever connects will parse the name again: it has to come out of a URL as it goes in. A second wall behind the
  // checks above, for whatever a later URL parser learns to rewrite.
  if (hostThroughUrl(text, host) !== host) throw new HostSyntaxError(text, 'it is not a valid host name');
  return host;
}

/** True for an IPv4 or bracketed IPv6 literal as `canonicalHost` returns it. */
export function isIpLiteral(host: string): boolean {
  return host.startsWith('[') || dottedQuad.test(host);
}

/**
 * True for names that only the local network can answer: `localhost`, single labels, `*.local`, `*.internal`,
 * `*.home.arpa`, and every other name whose top level is not on the public suffix list. Takes a canonical host.
 */
export function isLocalName(host: string): boolean {
  if (isIpLiteral(host)) return false;
  if (!host.includes('.') || host.endsWith('.home.arpa') || host === 'home.arpa') return true;
  const facts = parse(host, { allowPrivateDomains: true, validateHostname: false });
  return facts.isIcann !== true && facts.isPrivate !== true;
}

/** The part of a host that one party registered (`a.b.co.uk` -> `b.co.uk`), or null for a public suffix or an address. */
export function registrableDomain(host: string): string | null {
  if (isIpLiteral(host)) return null;
  return parse(host, { allowPrivateDomains: true, validateHostname: false }).domain;
}

export const defaultPort = 443;

const webSocketScheme = 'wss://';

function parsePort(input: string, text: string): number {
  const port = /^[1-9][0-9]{0,4}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw new HostSyntaxError(input, 'the port must be a number from 1 to 65535');
  return port;
}

function splitPort(text: string): Readonly<{ host: string; port: number }> {
  const afterName = text.startsWith('[') ? text.indexOf(']') + 1 : text.indexOf(':');
  if (afterName <= 0 || afterName === text.length) return { host: text, port: defaultPort };
  if (text[afterName] !== ':') throw new HostSyntaxError(text, 'only a port may follow the address');
  return { host: text.slice(0, afterName), port: parsePort(text, text.slice(afterName + 1)) };
}

/**
 * Reads one entry of a network list: `host`, `host:port` (default 443) or `*.host` (one label).
 * Throws HostSyntaxError for anything else, for a wildcard over a public suffix, and for IP literals and local names
 * that the owner did not declare.
 */
export function parseHostRule(text: string, options: HostRuleOptions = {}): HostRule {
  if (/[/\\@?#]/.test(text)) {
    throw new HostSyntaxError(text, 'write the host alone, without https://, user name or path');
  }
  if (text.lastIndexOf('*') > 0 || text === '*') {
    throw new HostSyntaxError(text, 'a wildcard is written *.example.com and stands for one name below that domain');
  }
  const { host: pattern, port } = splitPort(text);
  const wildcard = pattern.startsWith('*.');
  const host = canonicalHost(wildcard ? pattern.slice(2) : pattern);
  if (wildcard && registrableDomain(host) === null) {
    throw new HostSyntaxError(text, 'a wildcard may not span a public suffix, where anybody can register a name');
  }
  const declared = options.localNames?.has(host) === true && !wildcard;
  if (isIpLiteral(host) && !declared) {
    throw new HostSyntaxError(text, 'an IP address can be named only if the owner declared it as a local service');
  }
  if (isLocalName(host) && !declared) {
    throw new HostSyntaxError(text, 'a local name can be named only if the owner declared it as a local service');
  }
  return { host: wildcard ? `*.${host}` : host, port };
}

/**
 * Reads one entry of a request's network list: what `parseHostRule` reads, or `wss://host[:port]` for a host that a
 * WebSocket may be open to as well. Throws HostSyntaxError.
 */
export function parseNetworkEntry(text: string, options: HostRuleOptions = {}): HostRule {
  if (!text.startsWith(webSocketScheme)) return parseHostRule(text, options);
  const rule = parseHostRule(text.slice(webSocketScheme.length), options);
  if (rule.host.startsWith('*.')) {
    throw new HostSyntaxError(text, 'a WebSocket needs the whole host name; a wildcard is for requests only');
  }
  return { ...rule, ws: true };
}

/** True when the rule allows this canonical host and port. Compares whole labels; `*.` stands for exactly one label. */
export function matchesHostRule(rule: HostRule, host: string, port: number): boolean {
  if (rule.port !== port) return false;
  if (!rule.host.startsWith('*.')) return rule.host === host;
  if (isIpLiteral(host)) return false;
  const firstDot = host.indexOf('.');
  return firstDot > 0 && host.slice(firstDot + 1) === rule.host.slice(2);
}

/** True when any rule allows it. No rules means nothing is allowed. */
export function matchesAny(rules: readonly HostRule[], host: string, port: number): boolean {
  return rules.some((rule) => matchesHostRule(rule, host, port));
}

/** The rule as a person writes it; the default port is left out. */
export function formatHostRule(rule: HostRule): string {
  const authority = rule.port === defaultPort ? rule.host : `${rule.host}:${rule.port}`;
  return rule.ws === true ? `${webSocketScheme}${authority}` : authority;
}

const compareText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

/** Sort order for people: wildcards first, then by registrable domain, so that an odd host stands out. */
export function compareHostRules(left: HostRule, right: HostRule): number {
  const wildcards = Number(right.host.startsWith('*.')) - Number(left.host.startsWith('*.'));
  if (wildcards !== 0) return wildcards;
  const domainOf = (rule: HostRule): string => {
    const host = rule.host.startsWith('*.') ? rule.host.slice(2) : rule.host;
    return registrableDomain(host) ?? host;
  };
  return compareText(domainOf(left), domainOf(right)) || compareText(left.host, right.host) || left.port - right.port;
}

/** True for a canonical host (or `*.` pattern) at or below a known echo, relay or fetch service. */
export function isEchoHost(host: string): boolean {
  const labels = (host.startsWith('*.') ? host.slice(2) : host).split('.');
  return labels.some((_, start) => echoDomains.has(labels.slice(start).join('.')));
}

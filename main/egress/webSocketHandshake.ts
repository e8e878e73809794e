import type { DoorRequest } from '../core/door.ts';
import { matchesAny, matchesHostRule } from '../core/host.ts';
import { namesHost } from '../core/networkRules.ts';
import type { CanonicalUrl } from '../net/url.ts';
import { isForeignIn, type Policy, withOurs } from './judge.ts';
import type { PlaceholderSet } from './placeholderSet.ts';
import { Refusal } from './refusal.ts';
import { connectionNames, outgoingHeaders } from './requestHeaders.ts';
import { decodeBasic, Misplaced } from './substitution.ts';

/** A WebSocket that may be opened. */
export type JudgedWebSocket = Readonly<{
  url: CanonicalUrl;
  headers: ReadonlyMap<string, string>;
  /** Path and query as they go out. */
  target: string;
  /** What the code asked with; the answer to it is ours to compute. */
  key: string;
  /** True when a stand-in of another run was seen; it goes out as the text that it is (ATTACKS E91). */
  foreign: boolean;
}>;

const keyShape = /^[A-Za-z0-9+/]{22}==$/;
// Ours on the way out. Extensions would be one more thing that two parsers read differently.
const ofHandshake = ['sec-websocket-key', 'sec-websocket-version', 'sec-websocket-extensions', 'sec-websocket-accept'];

/** The key of a handshake as RFC 6455, section 4.2.1, wants it. Throws Refusal `upgrade_refused` for anything else. */
function keyOf({ method, headers, body }: DoorRequest): string {
  const valuesOf = (name: string): readonly string[] =>
    headers.filter(([given]) => given.toLowerCase() === name).map(([, value]) => value.trim());
  const [protocol = '', ...protocols] = valuesOf('upgrade');
  const [version, ...versions] = valuesOf('sec-websocket-version');
  const [key = '', ...keys] = valuesOf('sec-websocket-key');
  const isOne =
    protocol.toLowerCase() === 'websocket' &&
    method === 'GET' &&
    body === null &&
    version === '13' &&
    keyShape.test(key) &&
    protocols.length + versions.length + keys.length === 0 &&
    connectionNames(headers).has('upgrade');
  if (!isOne) throw new Refusal('upgrade_refused');
  return key;
}

/** Throws Misplaced for a placeholder in any spelling: no place of a handshake may carry one. */
function checkNowhere(headers: ReadonlyMap<string, string>, url: CanonicalUrl, placeholders: PlaceholderSet): void {
  const inUrl = placeholders.hiddenIn(`${url.host}${url.path}${url.query}`);
  if (inUrl.length > 0) throw new Misplaced(inUrl, 'url', null);
  for (const [name, value] of headers) {
    const basic = decodeBasic(value)?.credentials ?? '';
    const found = placeholders.hiddenIn(`${name} ${value} ${basic}`);
    if (found.length > 0) throw new Misplaced(found, 'header', name);
  }
}

/**
 * Judges the one upgrade that there is: a WebSocket over TLS, to a host that was declared with it and that no secret is
 * bound to (ATTACKS B49). Throws Refusal, and Misplaced for a placeholder anywhere in the handshake.
 */
export function judgeWebSocket(request: DoorRequest, url: CanonicalUrl, policy: Policy): JudgedWebSocket {
  const { rules, boundHosts } = policy;
  const key = keyOf(request);
  const passedOn = request.headers.filter(([name]) => name.toLowerCase() !== 'upgrade');
  const headers = outgoingHeaders(passedOn, url);
  if (!matchesAny(rules, url.host, url.port)) throw new Refusal('host_not_allowed');
  const declared = rules.some((rule) => rule.ws === true && matchesHostRule(rule, url.host, url.port));
  if (!declared || !url.secure) throw new Refusal('upgrade_refused');
  if (namesHost(boundHosts, url.host)) throw new Refusal('websocket_refused');
  checkNowhere(headers, url, policy.placeholders);
  for (const name of ofHandshake) headers.delete(name);
  const foreign = isForeignIn(url, headers, policy.placeholders);
  return { url, headers: withOurs(headers, url), target: url.path + url.query, key, foreign };
}

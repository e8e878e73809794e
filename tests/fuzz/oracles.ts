import { isIPv4, isIPv6 } from 'node:net';
import type { HostRule } from '../../main/core/host.ts';

// Slow second opinions, written another way than the product: character by character, label by label, no patterns.

const lower = 'abcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';

function isPlainLabel(label: string): boolean {
  if (label.length < 1 || label.length > 63 || label.startsWith('-') || label.endsWith('-')) return false;
  return [...label].every((character) => lower.includes(character) || digits.includes(character) || character === '-');
}

/** A label that a URL parser takes for a number. */
function isNumber(label: string): boolean {
  const hexadecimal = label.startsWith('0x');
  const rest = hexadecimal ? label.slice(2) : label;
  const known = hexadecimal ? `${digits}abcdef` : digits;
  return (hexadecimal || rest !== '') && [...rest].every((character) => known.includes(character));
}

export const isAddress = (host: string): boolean =>
  isIPv4(host) || (host.startsWith('[') && host.endsWith(']') && isIPv6(host.slice(1, -1)));

/** True for a host in the one spelling that may stand on a wire. */
export function isCanonicalHost(host: string): boolean {
  if (host.startsWith('[')) return isAddress(host) && host === host.toLowerCase() && !host.includes('%');
  const labels = host.split('.');
  const last = labels.at(-1) ?? '';
  if (isNumber(last)) return isIPv4(host);
  return host.length <= 253 && labels.every(isPlainLabel);
}

/** True for a name that needs no reading at all: no parser could make anything else of it. */
export const isPlainName = (text: string): boolean =>
  isCanonicalHost(text) && !isAddress(text) && !text.split('.').some((label) => label.slice(2, 4) === '--');

/** True when one rule allows this host and port. */
export function allows(rule: HostRule, host: string, port: number): boolean {
  if (rule.port !== port) return false;
  const wanted = rule.host.split('.').reverse();
  const given = host.split('.').reverse();
  if (wanted.length !== given.length) return false;
  if (wanted.at(-1) === '*' && isAddress(host)) return false;
  return wanted.every((label, index) => (label === '*' && index === wanted.length - 1) || label === given[index]);
}

/** True for a name that only the own network answers, of those that everybody can tell. */
export function isPlainlyLocal(host: string): boolean {
  const labels = host.split('.');
  return (
    labels.length === 1 ||
    ['local', 'localhost', 'internal'].includes(labels.at(-1) ?? '') ||
    host.endsWith('.home.arpa')
  );
}

/** Scheme, authority and the rest as RFC 3986, appendix B, cuts them; null when the text is no URL with an authority. */
export function cutUrl(
  text: string,
): Readonly<{ scheme: string; host: string; port: string; user: string | null }> | null {
  const colon = text.indexOf(':');
  if (colon < 1 || text.slice(colon + 1, colon + 3) !== '//') return null;
  const after = text.slice(colon + 3);
  const ends = ['/', '?', '#'].map((mark) => after.indexOf(mark)).filter((at) => at >= 0);
  const authority = after.slice(0, Math.min(after.length, ...ends));
  const at = authority.lastIndexOf('@');
  const place = authority.slice(at + 1);
  const portAt = place.startsWith('[') ? place.indexOf(':', place.indexOf(']')) : place.lastIndexOf(':');
  return {
    scheme: text.slice(0, colon).toLowerCase(),
    user: at < 0 ? null : authority.slice(0, at),
    host: portAt < 0 ? place : place.slice(0, portAt),
    port: portAt < 0 ? '' : place.slice(portAt + 1),
  };
}

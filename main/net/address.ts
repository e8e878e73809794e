import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** What an IP address is to us. `text` is its one spelling: mapped IPv6 becomes IPv4, no zone, shortest form. */
export type AddressVerdict =
  | Readonly<{ kind: 'public'; text: string }>
  | Readonly<{ kind: 'internal'; text: string; reason: string }>;

type Address = ipaddr.IPv4 | ipaddr.IPv6;

// Unicast for ipaddr.js, but answered by the machine's own cloud: Azure's host agent.
const cloudAgents: ReadonlySet<string> = new Set(['168.63.129.16']);

function parse(text: string): Address | null {
  // ipaddr.js reads `0x7f.1` and zones; a resolver or a socket never writes an address like that.
  if (isIP(text) === 0 || text.includes('%')) return null;
  return ipaddr.process(text);
}

function ipv4At(parts: readonly number[], index: number): ipaddr.IPv4 {
  const high = parts[index] ?? 0;
  const low = parts[index + 1] ?? 0;
  return new ipaddr.IPv4([high >> 8, high & 255, low >> 8, low & 255]);
}

function internalReasonOfIpv4(address: ipaddr.IPv4): string | null {
  const range = address.range();
  if (range !== 'unicast') return range;
  return cloudAgents.has(address.toString()) ? 'cloud agent' : null;
}

function internalReasonOfIpv6(address: ipaddr.IPv6): string | null {
  const { parts } = address;
  // RFC 6052: how an IPv6-only network with DNS64 reaches IPv4. Only the well-known prefix says which address it means.
  if (parts[0] === 0x64 && parts[1] === 0xff9b && parts.slice(2, 6).every((part) => part === 0)) {
    return internalReasonOfIpv4(ipv4At(parts, 6));
  }
  const range = address.range();
  if (range !== 'unicast') return range;
  // RFC 4291: only 2000::/3 is assigned as global unicast. This also drops `::a.b.c.d` and everything still reserved.
  if (((parts[0] ?? 0) & 0xe000) !== 0x2000) return 'reserved';
  // RFC 5214 (ISATAP): the interface id 0:5efe or 200:5efe is followed by an IPv4 address that a router may dial.
  if (((parts[4] ?? 0) & 0xfdff) === 0 && parts[5] === 0x5efe) return internalReasonOfIpv4(ipv4At(parts, 6));
  return null;
}

/**
 * Judges one address as a resolver or a socket wrote it. Anything that is not plain global unicast is internal, and so
 * is text that is no address (ATTACKS D66-69; IANA special-purpose registries).
 */
export function classifyAddress(text: string): AddressVerdict {
  const address = parse(text);
  if (address === null) return { kind: 'internal', text, reason: 'not an address' };
  const reason = address instanceof ipaddr.IPv4 ? internalReasonOfIpv4(address) : internalReasonOfIpv6(address);
  const canonical = address.toString();
  return reason === null ? { kind: 'public', text: canonical } : { kind: 'internal', text: canonical, reason };
}

/** True when both texts are the same address, however spelled. False when either is no address. */
export function sameAddress(left: string, right: string): boolean {
  const a = parse(left);
  const b = parse(right);
  return a !== null && b !== null && a.toString() === b.toString();
}

import { createHash, randomBytes, randomUUID } from 'node:crypto';

/** The guest asked for something in a way that is refused; it sees a TypeError or RangeError with this message. */
export class Refusal extends Error {
  readonly code = 'refused';
  readonly kind: 'TypeError' | 'RangeError';
  constructor(kind: 'TypeError' | 'RangeError', message: string) {
    super(message);
    this.kind = kind;
  }
}

const hashes: Readonly<Record<string, string>> = {
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};
const urlParts = [
  'href',
  'origin',
  'protocol',
  'username',
  'password',
  'host',
  'hostname',
  'port',
  'pathname',
  'search',
  'hash',
] as const;
const settableParts = urlParts.filter((name) => name !== 'origin');

export function text(value: unknown): string {
  if (typeof value !== 'string') throw new Refusal('TypeError', 'text is needed');
  return value;
}

export function whole(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new Refusal('TypeError', 'a whole number is needed');
  }
  return value;
}

export function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Refusal('TypeError', 'a list is needed');
  return value;
}

function url(argument: unknown): Readonly<Record<string, string>> {
  const [href, base, part, value] = list(argument);
  const parsed = URL.canParse(text(href), base === null ? undefined : text(base))
    ? new URL(text(href), base === null ? undefined : text(base))
    : null;
  if (parsed === null) throw new Refusal('TypeError', `Invalid URL: '${text(href).slice(0, 200)}'`);
  const name = settableParts.find((settable) => settable === part);
  if (name === 'href' && !URL.canParse(text(value)))
    throw new Refusal('TypeError', `Invalid URL: '${text(value).slice(0, 200)}'`);
  if (name !== undefined) parsed[name] = text(value);
  return Object.fromEntries(urlParts.map((key) => [key, parsed[key]]));
}

function pairs(value: unknown): [string, string][] {
  return list(value).map((pair) => {
    const [name, held] = list(pair);
    return [text(name), text(held)];
  });
}

function decoded(argument: unknown, bytes: Uint8Array | null): string {
  const [label, fatal] = list(argument);
  const decoder = new TextDecoder(label === 'utf-8' ? 'utf-8' : 'windows-1252', {
    fatal: fatal === true,
    ignoreBOM: true,
  });
  try {
    return decoder.decode(bytes ?? new Uint8Array(0));
  } catch {
    throw new Refusal('TypeError', 'The encoded data was not valid for encoding utf-8');
  }
}

function digest(algorithm: unknown, bytes: Uint8Array | null): Uint8Array {
  const name = hashes[text(algorithm)];
  if (name === undefined)
    throw new Refusal('TypeError', `digest: '${text(algorithm)}' is unknown; use SHA-1, SHA-256, SHA-384 or SHA-512`);
  return createHash(name)
    .update(bytes ?? new Uint8Array(0))
    .digest();
}

function base64(operation: 'atob' | 'btoa', argument: unknown): string {
  try {
    return operation === 'atob' ? atob(text(argument)) : btoa(text(argument));
  } catch {
    throw new Refusal(
      'TypeError',
      operation === 'atob'
        ? 'The string to be decoded is not correctly encoded.'
        : 'Cannot encode characters beyond Latin-1.',
    );
  }
}

/** What the prelude asks for and that depends on nothing but its argument (and chance). Undefined: not one of these. */
export function computed(operation: string, argument: unknown, bytes: Uint8Array | null): unknown {
  switch (operation) {
    case 'encode':
      return new TextEncoder().encode(text(argument));
    case 'decode':
      return decoded(argument, bytes);
    case 'atob':
    case 'btoa':
      return base64(operation, argument);
    case 'url':
      return url(argument);
    case 'parse_query':
      return [...new URLSearchParams(text(argument))];
    case 'show_query':
      return new URLSearchParams(pairs(argument)).toString();
    case 'uuid':
      return randomUUID();
    case 'random':
      return randomBytes(Math.min(whole(argument), 65_536));
    case 'digest':
      return digest(argument, bytes);
    default:
      return undefined;
  }
}

import { base62 } from './base62.ts';

/** How the keys of one service look from outside: what they begin with and, where it is fixed, how long they are. */
export type PlaceholderShape = Readonly<{ prefix: string; length?: number }>;

/** Random bytes that one placeholder is made from. */
export const placeholderRandomBytes = 96;

// Letters and digits only: clients that check a key with a pattern let nothing else in behind its prefix.
const marker = 'oauth3';
/** 131 bits. */
const minRandomLength = 22;
/** 196 bits, for keys of no known length. */
const usualRandomLength = 33;
const maxLength = 128;

/**
 * Finds placeholders of any run, also unknown ones, in text that goes out. Global: use `matchAll`, or a copy for `test`.
 */
export const PLACEHOLDER_PATTERN = new RegExp(`${marker}[0-9A-Za-z]{${minRandomLength},}`, 'g');

const prefixPattern = /^[A-Za-z0-9_.-]{0,16}$/;

/**
 * A stand-in for one secret in one run: a public key prefix, our marker and at least 131 random bits, in all as long as
 * the shape says; safe in headers, URLs and JSON. Throws RangeError for too few random bytes (96) or an odd shape.
 */
export function makePlaceholder(random: Uint8Array, { prefix, length }: PlaceholderShape = { prefix: '' }): string {
  if (random.length < placeholderRandomBytes) {
    throw new RangeError(`A placeholder needs ${placeholderRandomBytes} random bytes.`);
  }
  if (!prefixPattern.test(prefix)) throw new RangeError('A placeholder prefix may hold only A-Z a-z 0-9 _ . - (16).');
  const start = prefix + marker;
  const randomLength = length === undefined ? usualRandomLength : length - start.length;
  if (randomLength < minRandomLength || (length ?? 0) > maxLength) {
    throw new RangeError(`A placeholder has ${start.length + minRandomLength} to ${maxLength} characters.`);
  }
  // The last ones: the first digits of a number are not spread evenly.
  return start + base62(random).slice(-randomLength);
}

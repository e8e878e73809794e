import { base62 } from './base62.ts';

const randomBytes = 24;
const randomLength = 33;
const marker = 'oauth3-';

/**
 * Finds placeholders of any run, also unknown ones, in text that goes out. Global: use `matchAll`, or a copy for `test`.
 */
export const PLACEHOLDER_PATTERN = new RegExp(`${marker}[0-9A-Za-z]{${randomLength}}`, 'g');

const shapePattern = /^[A-Za-z0-9_.-]{0,16}$/;

/**
 * A stand-in for one secret in one run: a public key prefix, our marker and 192 random bits, safe in headers and URLs.
 * Needs at least 24 random bytes and uses the first 24. Throws RangeError for fewer bytes or an odd shape.
 */
export function makePlaceholder(random: Uint8Array, shape = ''): string {
  if (random.length < randomBytes) throw new RangeError(`A placeholder needs ${randomBytes} random bytes.`);
  if (!shapePattern.test(shape)) throw new RangeError('A placeholder prefix may hold only A-Z a-z 0-9 _ . - (16).');
  return `${shape}${marker}${base62(random.subarray(0, randomBytes))}`;
}

import { hkdfSync, randomBytes } from 'node:crypto';
import { sameText } from '../core/sameText.ts';

export const dataKeyBytes = 32;

export function newDataKey(): Buffer {
  return randomBytes(dataKeyBytes);
}

/** A key of 32 bytes for one purpose (HKDF-SHA-256, RFC 5869). No other purpose can be worked out from it. */
export function deriveKey(dataKey: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', dataKey, Buffer.alloc(0), `oauth3/vault/v1/${purpose}`, dataKeyBytes));
}

/** Stored beside a slot: says whether the key that came out of it is the one that went in, and nothing more. */
export function checkValue(dataKey: Uint8Array): string {
  return deriveKey(dataKey, 'check').toString('base64url');
}

export function isDataKey(candidate: Uint8Array, check: string | number | undefined): boolean {
  return candidate.length === dataKeyBytes && typeof check === 'string' && sameText(check, checkValue(candidate));
}

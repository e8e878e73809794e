import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const format = 1;
const nonceBytes = 12;
const tagBytes = 16;

/** What a value belongs to. A ciphertext that is moved to another secret, name or version does not open. */
export type ValueOwner = Readonly<{ id: string; name: string; version: number }>;

/** AES-256-GCM with a random nonce: format byte, nonce, ciphertext, tag. */
export function encryptValue(key: Uint8Array, owner: ValueOwner, value: string): Uint8Array {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(ownerBytes(owner));
  return Buffer.concat([Buffer.of(format), nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** Throws when the bytes were changed, belong to another owner, or were made with another key. */
export function decryptValue(key: Uint8Array, owner: ValueOwner, bytes: Uint8Array): string {
  if (bytes[0] !== format || bytes.length < 1 + nonceBytes + tagBytes) {
    throw new Error('This is not an encrypted value of a known format.');
  }
  const nonce = bytes.subarray(1, 1 + nonceBytes);
  const tagStart = bytes.length - tagBytes;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(ownerBytes(owner));
  decipher.setAuthTag(bytes.subarray(tagStart));
  return Buffer.concat([decipher.update(bytes.subarray(1 + nonceBytes, tagStart)), decipher.final()]).toString('utf8');
}

/** Every part with its length before it, so that no two owners have the same bytes. */
function ownerBytes({ id, name, version }: ValueOwner): Buffer {
  const parts = ['oauth3/secret/v1', id, name, String(version)].map((part) => Buffer.from(part, 'utf8'));
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
}

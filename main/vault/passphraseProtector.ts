import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { type KeyProtector, KeyUnwrapError } from './keyProtector.ts';

export const passphraseName = 'passphrase';

const format = 1;
const saltBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;
const headerBytes = 2 + saltBytes + nonceBytes;
const blockSize = 8;
const costLog2Range = { min: 10, max: 20 };

/** scrypt with N=2^17, r=8, p=1 (OWASP, RFC 7914): 128 MiB and about half a second. */
export const passphraseCostLog2 = 17;

/**
 * Wraps the data key with a passphrase. Slot: format, log2 of N, salt, nonce, AES-256-GCM of the key. `costLog2`
 * (10-20) is lower only in tests; opening uses what the slot says.
 */
export function passphraseProtector(passphrase: string, costLog2 = passphraseCostLog2): KeyProtector {
  return {
    name: passphraseName,
    availability: () => Promise.resolve({ available: true }),

    async wrap(dataKey) {
      const header = Buffer.concat([Buffer.of(format, costLog2), randomBytes(saltBytes + nonceBytes)]);
      const key = await slotKey(passphrase, header);
      try {
        const cipher = createCipheriv('aes-256-gcm', key, nonceOf(header), { authTagLength: tagBytes });
        cipher.setAAD(header);
        return Buffer.concat([header, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
      } finally {
        key.fill(0);
      }
    },

    async unwrap(wrapped) {
      const header = Buffer.from(wrapped.subarray(0, headerBytes));
      const costOk = (header[1] ?? 0) >= costLog2Range.min && (header[1] ?? 0) <= costLog2Range.max;
      if (wrapped.length <= headerBytes + tagBytes || header[0] !== format || !costOk) {
        throw new KeyUnwrapError(passphraseName, 'The passphrase slot is of an unknown format or damaged.');
      }
      const key = await slotKey(passphrase, header);
      try {
        const tagStart = wrapped.length - tagBytes;
        const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(header), { authTagLength: tagBytes });
        decipher.setAAD(header);
        decipher.setAuthTag(wrapped.subarray(tagStart));
        return Buffer.concat([decipher.update(wrapped.subarray(headerBytes, tagStart)), decipher.final()]);
      } catch (error) {
        throw new KeyUnwrapError(passphraseName, 'The passphrase is wrong.', { cause: error });
      } finally {
        key.fill(0);
      }
    },
  };
}

function nonceOf(header: Buffer): Buffer {
  return header.subarray(2 + saltBytes);
}

function slotKey(passphrase: string, header: Buffer): Promise<Buffer> {
  const cost = 2 ** (header[1] ?? passphraseCostLog2);
  const salt = header.subarray(2, 2 + saltBytes);
  // Node refuses more than 32 MiB unless it is told; scrypt needs 128 * N * r bytes and a little.
  const maxmem = 128 * cost * blockSize + 1024 * 1024;
  return new Promise((resolve, reject) => {
    // The same letters typed on another keyboard may come composed differently.
    scrypt(passphrase.normalize('NFC'), salt, 32, { N: cost, r: blockSize, p: 1, maxmem }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}

import { X509Certificate } from 'node:crypto';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

/** The file of extra roots is not a list of PEM certificates. */
export class RootsSyntaxError extends Error {
  readonly code = 'invalid_roots';

  constructor(reason: string) {
    super(`The extra trusted roots cannot be used: ${reason}. Give a file of PEM certificates`);
    this.name = 'RootsSyntaxError';
  }
}

const pemBlock = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, each by itself. Throws RootsSyntaxError when there is none or one is broken. */
export function parseRoots(pem: string): readonly string[] {
  const blocks = pem.match(pemBlock) ?? [];
  if (blocks.length === 0) throw new RootsSyntaxError('there is no certificate in it');
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block).toString();
    } catch {
      throw new RootsSyntaxError(`certificate ${index + 1} is broken`);
    }
  });
}

/**
 * What every upstream connection trusts: the roots bundled with Node plus `extra` (PEM each). Naming them ourselves is
 * what makes `NODE_EXTRA_CA_CERTS` and `SSL_CERT_FILE` of our environment mean nothing here.
 */
export function trustContext(extra: readonly string[]): SecureContext {
  return createSecureContext({ ca: [...rootCertificates, ...extra], minVersion: 'TLSv1.2' });
}

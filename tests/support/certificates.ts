import 'reflect-metadata';
import { isIP } from 'node:net';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 86_400_000;

/** A server certificate and its key, both PEM, as `tls.createServer` takes them. */
export type IssuedCertificate = Readonly<{ cert: string; key: string }>;

export type IssueOptions = Readonly<{ notBefore?: Date; notAfter?: Date }>;

/** A certificate authority that lives in memory for one test file. */
export type Authority = Readonly<{
  certPem: string;
  /** A leaf for these DNS names and IP addresses; default validity is one day either side of now. */
  issue(names: readonly string[], options?: IssueOptions): Promise<IssuedCertificate>;
}>;

async function newKeys() {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  if (!('privateKey' in keys)) throw new Error('expected a key pair');
  return keys;
}

/** Makes an authority with a new key; nothing is written to disk. */
export async function makeAuthority(commonName = 'Test Authority'): Promise<Authority> {
  const keys = await newKeys();
  const name = `CN=${commonName}`;
  const root = await X509CertificateGenerator.createSelfSigned({
    name,
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + dayMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return {
    certPem: root.toString('pem'),
    async issue(names, options = {}) {
      const leafKeys = await newKeys();
      const leaf = await X509CertificateGenerator.create({
        subject: `CN=${names[0] ?? 'nobody'}`,
        issuer: name,
        notBefore: options.notBefore ?? new Date(Date.now() - dayMs),
        notAfter: options.notAfter ?? new Date(Date.now() + dayMs),
        signingAlgorithm: algorithm,
        publicKey: leafKeys.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
          new SubjectAlternativeNameExtension(
            names.map((value) => (isIP(value) === 0 ? { type: 'dns', value } : { type: 'ip', value })),
          ),
        ],
      });
      const pkcs8 = await crypto.subtle.exportKey('pkcs8', leafKeys.privateKey);
      return { cert: leaf.toString('pem'), key: PemConverter.encode(pkcs8, 'PRIVATE KEY') };
    },
  };
}

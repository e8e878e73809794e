// The library looks for the metadata that this puts on `Reflect`, while it loads.
import 'reflect-metadata';
import type { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export type KeyPair = Readonly<{ privateKey: webcrypto.CryptoKey; publicKey: webcrypto.CryptoKey }>;

/** Who signs: `name` is a distinguished name such as `CN=Somebody`. */
export type Signer = Readonly<{ name: string; keys: KeyPair }>;

export type Validity = Readonly<{ notBefore: Date; notAfter: Date }>;

/** A new P-256 pair; `extractable` for keys that have to leave WebCrypto as PEM. */
export async function newKeys(extractable: boolean): Promise<KeyPair> {
  const keys = await crypto.subtle.generateKey(algorithm, extractable, ['sign', 'verify']);
  if (!('privateKey' in keys)) throw new Error('expected a key pair');
  return keys;
}

export async function privateKeyPem({ privateKey }: KeyPair): Promise<string> {
  return PemConverter.encode(await crypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY');
}

/** The certificate (PEM) of an authority that signs leaves and nothing else: pathlen 0 (RFC 5280, section 4.2.1.9). */
export async function authorityCertificate({ name, keys }: Signer, validity: Validity): Promise<string> {
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name,
    ...validity,
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return certificate.toString('pem');
}

/** A server certificate (PEM) for DNS names and IP addresses (without brackets): good for exactly these. */
export async function leafCertificate(
  signer: Signer,
  publicKey: webcrypto.CryptoKey,
  hosts: readonly string[],
  validity: Validity,
): Promise<string> {
  const certificate = await X509CertificateGenerator.create({
    // Fixed, because a name may be longer than the 64 characters that fit; clients look at the extension below.
    subject: 'CN=host',
    issuer: signer.name,
    ...validity,
    signingAlgorithm: algorithm,
    publicKey,
    signingKey: signer.keys.privateKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        hosts.map((value) => (isIP(value) === 0 ? { type: 'dns', value } : { type: 'ip', value })),
      ),
      await AuthorityKeyIdentifierExtension.create(signer.keys.publicKey),
    ],
  });
  return certificate.toString('pem');
}

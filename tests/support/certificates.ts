import {
  authorityCertificate,
  leafCertificate,
  newKeys,
  privateKeyPem,
  type Signer,
} from '../../main/egress/proxy/certificates.ts';

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

/** Makes an authority with a new key; nothing is written to disk. */
export async function makeAuthority(commonName = 'Test Authority'): Promise<Authority> {
  const signer: Signer = { name: `CN=${commonName}`, keys: await newKeys(false) };
  const validity = { notBefore: new Date(Date.now() - dayMs), notAfter: new Date(Date.now() + dayMs) };
  return {
    certPem: await authorityCertificate(signer, validity),
    async issue(names, options = {}) {
      const keys = await newKeys(true);
      const cert = await leafCertificate(signer, keys.publicKey, names, { ...validity, ...options });
      return { cert, key: await privateKeyPem(keys) };
    },
  };
}

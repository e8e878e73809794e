import { describe, expect, it } from 'vitest';
import { makeAuthority } from '../../tests/support/certificates.ts';
import { parseRoots, RootsSyntaxError, trustContext } from './roots.ts';

describe('extra roots', () => {
  it('are read one by one, whatever stands between them', async () => {
    const [first, second] = await Promise.all([makeAuthority('One'), makeAuthority('Two')]);
    const roots = parseRoots(`# my authority\n${first.certPem}\n\nsubject=CN=Two\n${second.certPem}`);
    expect(roots).toHaveLength(2);
    expect(() => trustContext(roots)).not.toThrow();
  });

  it.each([
    ['nothing', ''],
    ['a key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----'],
    ['a broken certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'],
  ])('are refused when the file holds %s', (_what, pem) => expect(() => parseRoots(pem)).toThrow(RootsSyntaxError));
});

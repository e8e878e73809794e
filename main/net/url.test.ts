import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authorityOf, type CanonicalUrl, canonicalAuthority, canonicalUrl, UrlSyntaxError } from './url.ts';

function tryRead(text: string): CanonicalUrl | null {
  try {
    return canonicalUrl(text);
  } catch (error) {
    if (error instanceof UrlSyntaxError) return null;
    throw error;
  }
}

describe('canonicalUrl', () => {
  it('reads the parts of a plain URL and drops the fragment', () => {
    expect(canonicalUrl('HTTPS://Api.Example.COM.:8443/a b/../c?x=ü#top')).toEqual({
      secure: true,
      host: 'api.example.com',
      port: 8443,
      path: '/c',
      query: '?x=%C3%BC',
    });
    expect(canonicalUrl('http://api.example.com')).toMatchObject({ secure: false, port: 80, path: '/', query: '' });
  });

  it.each([
    ['https://user@api.example.com/', 'user name'],
    ['https://api.example.com@evil.com/', 'user name'],
    ['https://api.example.com:/', 'port'],
    ['https://api.example.com:0443/', 'port'],
    ['https://api.example.com/\\x', 'backslash'],
    ['https://api.example.com/\nx', 'control'],
    ['https://api.example.com/ ', 'space'],
    ['https:/api.example.com/', 'https://host/path'],
    ['https://api..example.com/', 'host'],
    [`https://api.example.com/${'x'.repeat(16_384)}`, 'longer'],
  ])('says what is wrong with %s', (text, reason) => expect(() => canonicalUrl(text)).toThrow(reason));

  it('never throws anything else, and never disagrees with the parser that everybody uses', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'https://',
        'http://',
        'api.example.com',
        '@',
        ':',
        '443',
        '\\',
        '/',
        '//',
        '.',
        '%00',
        '#',
        '?',
        '[::1]',
        '０',
      ),
      fc.string({ maxLength: 4, unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = `https://${pieces.join('')}`;
        const read = tryRead(text);
        if (read === null) return;
        const url = new URL(text);
        expect(url.username + url.password).toBe('');
        expect(url.hostname.replace(/\.$/, '')).toBe(read.host);
        expect(`${read.path}${read.query}`).toMatch(/^\/[\x21-\x7e]*$/);
        expect(tryRead(`https://${authorityOf(read)}${read.path}${read.query}`)).toEqual(read);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('canonicalAuthority', () => {
  it('reads a host and a port in their one spelling', () => {
    expect(canonicalAuthority('Api.Example.COM.:443')).toEqual({ host: 'api.example.com', port: 443 });
    expect(canonicalAuthority('[2001:DB8::1]:8443')).toEqual({ host: '[2001:db8::1]', port: 8443 });
    expect(canonicalAuthority('192.0.2.1:80')).toEqual({ host: '192.0.2.1', port: 80 });
  });

  it.each([
    '',
    ':443',
    'api.example.com',
    'api.example.com:',
    'api.example.com:0',
    'api.example.com:0443',
    'api.example.com:65536',
    'api.example.com:443:443',
    'api.example.com:443/',
    'api.example.com:443?x',
    'api.example.com:443#x',
    ' api.example.com:443',
    'api.example.com:443 ',
    'api.exa\tmple.com:443',
    'user@api.example.com:443',
    'https://api.example.com:443',
    'evil.com\\.example.com:443',
    'api..example.com:443',
    '127.1:443',
    '[::ffff:127.0.0.1]:443x',
    `${'a'.repeat(20_000)}:443`,
  ])('refuses %j', (text) => {
    expect(() => canonicalAuthority(text)).toThrow(UrlSyntaxError);
  });
});

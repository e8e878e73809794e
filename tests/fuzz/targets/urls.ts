import { authorityOf, canonicalAuthority, canonicalUrl, UrlSyntaxError } from '../../../main/net/url.ts';
import type { Choices } from '../choices.ts';
import { cutUrl, isCanonicalHost, isPlainName } from '../oracles.ts';
import { must, target } from '../target.ts';
import { hostText, mangled, nastyText, portText } from '../words.ts';

type Input = Readonly<{ url: string; authority: string }>;

const schemes = [
  'https://',
  'https://',
  'https://',
  'http://',
  'HTTPS://',
  'https:',
  'https:/',
  'https:///',
  'https:\\\\',
  'ftp://',
  'file:///',
  'ws://',
  '//',
  '',
  'javascript:',
  'https://https://',
  'blob:https://',
];
const users = ['', '', '', '', '', '@', 'user@', 'a:b@', 'api.example.com@', 'evil.com#@', 'evil.com\\@', 'x%40'];
const parts = [
  '',
  '/',
  '/v1/things',
  '/../..',
  '/%2e%2e/',
  '/a b',
  '/%',
  '/é',
  '//evil.com',
  '/:@',
  '/;a=b',
  '/\ud800',
  '/.',
  '/..',
  '/a\\b',
  '\\@evil.com',
];
const queries = ['', '', '?', '?a=b&c=d', '?x=%zz', '?//evil.com', '?@evil.com', '?é', "?'", '?a?b', '?\\'];
const fragments = ['', '', '', '#', '#x', '#@evil.com/', '#?'];

function make(choices: Choices): Input {
  const host = hostText(choices);
  const path = choices.rarely(4) ? nastyText(choices) + choices.pick(parts) : choices.pick(parts);
  const text =
    choices.pick(schemes) +
    choices.pick(users) +
    host +
    portText(choices) +
    path +
    choices.pick(queries) +
    choices.pick(fragments);
  const authority = `${choices.pick(['', '', '', 'u@', '//'])}${hostText(choices)}${portText(choices)}${choices.pick(['', '', '', '/', '?'])}`;
  return {
    url: choices.rarely(3) ? mangled(choices, text) : text,
    authority: choices.rarely(3) ? mangled(choices, authority) : authority,
  };
}

function read<Value>(reader: () => Value): Value | null {
  try {
    return reader();
  } catch (error) {
    if (error instanceof UrlSyntaxError) return null;
    throw error;
  }
}

function checkUrl(text: string): void {
  const found = read(() => canonicalUrl(text));
  const cut = cutUrl(text);
  const isPlain =
    cut !== null && isPlainName(cut.host) && cut.user === null && cut.port === '' && text === `https://${cut.host}/`;
  must(found !== null || !isPlain, 'a plain URL was refused');
  if (found === null) return;
  const { secure, host, port, path, query } = found;
  must(isCanonicalHost(host) && port >= 1 && port <= 65_535, 'host or port are not in their one form', found);
  const [seen, whole] = [new URL(text), `${secure ? 'https' : 'http'}://${authorityOf(found)}${path}${query}`];
  const rebuilt = new URL(whole);
  const standard = secure ? 443 : 80;
  must(seen.hostname.replace(/\.$/, '') === host, 'a URL parser sees another host', { found, seen: seen.href });
  must((seen.port === '' ? standard : Number(seen.port)) === port, 'a URL parser sees another port', found);
  must(
    seen.protocol === (secure ? 'https:' : 'http:') && seen.username + seen.password === '',
    'scheme or user differ',
    found,
  );
  must(cut !== null && cut.user === null, 'by RFC 3986 it holds a user or no host', found);
  must((cut.port === '' ? standard : Number(cut.port)) === port, 'by RFC 3986 it has another port', { found, cut });
  must(!isCanonicalHost(cut.host) || cut.host === host, 'by RFC 3986 it has another host', { found, cut });
  must(rebuilt.hostname === host && rebuilt.pathname === path && rebuilt.search === query, 'rebuilt it is another', {
    whole,
    found,
  });
  const again = canonicalUrl(whole);
  must(JSON.stringify(again) === JSON.stringify(found), 'reading it twice gives another', { found, again });
  const sent = path + query;
  must(
    sent.startsWith('/') && [...sent].every((letter) => letter > ' ' && letter < '\u007f'),
    'what goes into the request line is not plain',
    sent,
  );
}

function checkAuthority(text: string): void {
  const found = read(() => canonicalAuthority(text));
  if (found === null) return;
  const { host, port } = found;
  must(isCanonicalHost(host) && text.endsWith(`:${port}`), 'the target is not what was written', found);
  must(
    ![...text].some((letter) => '/\\@?# \t\r\n'.includes(letter)),
    'the target holds more than host and port',
    found,
  );
  const url = read(() => canonicalUrl(`https://${text}`));
  must(url !== null && url.host === host && url.port === port, 'as a URL it leads elsewhere', { found, url });
}

function check({ url, authority }: Input): void {
  checkUrl(url);
  checkAuthority(authority);
}

export const urls = target({ name: 'urls', inputs: 200_000, testInputs: 8_000 }, () => ({ make, check }));

import type { HeaderPair } from '../../../main/core/door.ts';
import type { EgressSecret, Tripwire } from '../../../main/core/egressSpec.ts';
import { type HostRule, parseHostRule } from '../../../main/core/host.ts';
import { silentLog } from '../../../main/core/log.ts';
import { makePlaceholder } from '../../../main/core/placeholder.ts';
import { Redactor } from '../../../main/core/redaction.ts';
import { systemClock } from '../../../main/core/systemClock.ts';
import { EgressGateway } from '../../../main/egress/gateway.ts';
import { trustContext } from '../../../main/net/roots.ts';
import { Choices } from '../choices.ts';
import { Mirror, type Sent, textOf } from '../mirror.ts';
import { allows } from '../oracles.ts';
import { survivorIn } from '../spellings.ts';
import { must, target } from '../target.ts';
import { hostText, mangled, portText } from '../words.ts';

type Input = Readonly<{ method: string; url: string; headers: readonly HeaderPair[]; body: Uint8Array | null }>;

const localNames: ReadonlySet<string> = new Set(['nas.local']);
const rules = (texts: readonly string[]): readonly HostRule[] =>
  texts.map((text) => parseHostRule(text, { localNames }));
const network = rules([
  'api.one.com',
  '*.two.com',
  'three.com:8443',
  'evil.com',
  'nas.local:8080',
  'api.telegram.org',
  'api.anthropic.com',
]);

const alphabet = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'];
const chance = Choices.of(0x5ec7e7, 7);
const text = (length: number): string => chance.list(length, length, () => chance.pick(alphabet)).join('');

type Places = Partial<Pick<EgressSecret, 'headers' | 'query' | 'path' | 'json' | 'form'>>;

const secret = (name: string, hosts: readonly string[], value: string, places: Places = {}): EgressSecret => ({
  secretId: `sec_${name}`,
  name,
  value,
  placeholder: makePlaceholder(chance.bytes(96, 96), { prefix: chance.pick(['', 'sk-', 'ghp_']) }),
  hosts: rules(hosts),
  headers: [],
  query: [],
  path: false,
  json: [],
  form: [],
  ...places,
});

const secrets: readonly EgressSecret[] = [
  secret('ONE', ['api.one.com', 'api.anthropic.com'], `sk-fake-${text(24)}`, { headers: ['X-Custom-Key'] }),
  secret('TWO', ['*.two.com'], `fake two "${text(20)}" /+&%=ü`, { query: ['key', 'a b'], path: true }),
  secret('BOT', ['api.telegram.org'], `12345:fake-${text(24)}`, { path: true }),
  secret('THREE', ['three.com:8443', 'nas.local:8080'], `fake-${text(30)}`, {
    query: ['token'],
    headers: ['x-custom-key'],
  }),
  secret('NOWHERE', [], `fake-${text(24)}`, { headers: ['x-custom-key'], query: ['key'], path: true }),
];
const foreign = makePlaceholder(chance.bytes(96, 96));

const percentAll = (value: string): string =>
  [...Buffer.from(value)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

/** A stand-in as the code might write it to get the value where it does not belong. */
function standIn(choices: Choices): string {
  const chosen = choices.rarely(8) ? foreign : choices.pick(secrets).placeholder;
  switch (choices.below(9)) {
    case 0:
      return chosen.toUpperCase();
    case 1:
      return percentAll(chosen);
    case 2:
      return percentAll(percentAll(chosen));
    case 3:
      return chosen + choices.pick(secrets).placeholder;
    case 4:
      return mangled(choices, chosen, 1);
    default:
      return chosen;
  }
}

const placeText = (choices: Choices): string =>
  choices.rarely(3)
    ? `${choices.pick(['', 'x', 'a=', 'bot'])}${standIn(choices)}${choices.pick(['', 'y', '/', '%00'])}`
    : choices.pick(['v1', '', 'a%20b']);

const hostChoices = [
  'api.one.com',
  'API.one.com.',
  'x.two.com',
  'two.com',
  'a.b.two.com',
  'three.com:8443',
  'three.com',
  'evil.com',
  'nas.local:8080',
  'api.telegram.org',
  'api.anthropic.com',
  'api.one.com.evil.com',
  'api.one.com@evil.com',
  'evil.com#@api.one.com',
  'evil.com\\@api.one.com',
  'api.one.com:8443',
  'xtwo.com',
];
const headerNames = [
  'Authorization',
  'authorization',
  'X-Api-Key',
  'x-custom-key',
  'Cookie',
  'X-Other',
  'Host',
  'Connection',
  'Accept',
  'Range',
  'User-Agent',
  'Proxy-Authorization',
  'Transfer-Encoding',
  'Content-Length',
  'Upgrade',
  'Forwarded',
];

function headerValue(choices: Choices): string {
  const held = choices.rarely(3)
    ? choices.pick(['plain', '', 'close, x-custom-key', 'api.one.com', 'evil.com'])
    : standIn(choices);
  switch (choices.below(6)) {
    case 0:
      return `Bearer ${held}`;
    case 1:
      return `Basic ${Buffer.from(`${choices.pick(['', 'user', standIn(choices)])}:${held}`).toString('base64')}`;
    case 2:
      return `basic  ${Buffer.from(held).toString('base64').replace(/=+$/, '')}`;
    case 3:
      return `${held}${choices.pick(['\r\nX-Injected: 1', '\0', '\u{100}', ' ', '\t'])}`;
    default:
      return held;
  }
}

function make(choices: Choices): Input {
  const host = choices.rarely(6) ? hostText(choices) + portText(choices) : choices.pick(hostChoices);
  const path = choices.list(0, 3, () => `/${placeText(choices)}`).join('');
  const query = choices
    .list(0, 2, () => `${choices.pick(['key', 'token', 'a%20b', 'q', standIn(choices)])}=${placeText(choices)}`)
    .join('&');
  const url = `${choices.pick(['https://', 'https://', 'https://', 'http://'])}${host}${path}${query === '' ? '' : `?${query}`}`;
  const name = (): string => (choices.rarely(20) ? standIn(choices) : choices.pick(headerNames));
  return {
    method: choices.pick(['GET', 'POST', 'POST', 'HEAD', 'PUT', 'CONNECT', 'get']),
    url: choices.rarely(6) ? mangled(choices, url) : url,
    headers: choices.list(0, 3, (): HeaderPair => [name(), headerValue(choices)]),
    body: choices.rarely(3) ? Buffer.from(placeText(choices)) : null,
  };
}

const percentDecoded = (value: string): string =>
  value.replace(/%([0-9a-f]{2})/gi, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));

/** Everything that a server could make of one request, decoded in every way it may decode it. */
function readingsOf({ request, body }: Sent): readonly string[] {
  const values = [...request.headers].flat();
  const packed = values
    .flatMap((value) => value.split(/[ ,;]/))
    .map((word) => Buffer.from(word, 'base64').toString('latin1'));
  return [request.path, percentDecoded(request.path), ...values, ...packed, body, request.host];
}

export const substitution = target({ name: 'substitution', inputs: 120_000, testInputs: 3_000 }, () => {
  const upstream = new Mirror(trustContext([]));
  const redactor = new Redactor(secrets);
  const gateway = new EgressGateway({
    upstream,
    localServices: () => new Map([['nas.local', { address: '192.168.1.5', port: 8080 }]]),
    resolver: async () => ['93.184.215.14'],
    ownAddresses: () => [],
    log: silentLog,
    clock: systemClock,
  });
  const limits = { maxRequests: 4, maxConcurrent: 2, maxBytesIn: 1e6, maxBytesOut: 1e6, requestTimeoutMs: 5_000 };

  async function check(input: Input): Promise<void> {
    const trips: Tripwire[] = [];
    upstream.sent = [];
    const session = gateway.open({
      runId: 'run_fuzz',
      rules: network,
      secrets,
      boundHosts: [],
      limits,
      redactor,
      onTripwire: (trip) => trips.push(trip),
    });
    const answer = await session.request(input);
    const given = await textOf(answer);
    session.close();
    must(upstream.sent.length <= 1 && session.records.length === 1, 'one request became several', session.records);
    must(trips.length === 0 || upstream.sent.length === 0, 'a request went out although it tripped the wire', trips);
    must(answer.refused === true || upstream.sent.length === 1, 'an answer came from nowhere', answer.status);
    for (const sent of upstream.sent) checkSent(sent, session.records[0]?.secrets ?? []);
    for (const { name, value } of secrets) {
      // A refusal is our own words, so it is enough to look for the value as it is.
      const survivor = answer.refused === true ? given.includes(value) : survivorIn(given, value) !== null;
      must(!survivor, 'the code was given a value', { name, given });
      must(
        !JSON.stringify(session.records).includes(JSON.stringify(value).slice(1, -1)),
        'a value is in the records',
        session.records,
      );
    }
  }

  function checkSent(sent: Sent, used: readonly string[]): void {
    const { host, target: dialled, secure, path, headers } = sent.request;
    const { port } = dialled;
    must(
      network.some((rule) => allows(rule, host, port)),
      'a request went to a host that is not allowed',
      sent,
    );
    must(
      headers.get('host') === (port === (secure ? 443 : 80) ? host : `${host}:${port}`),
      'the Host header is another',
      sent,
    );
    const line = [path, ...[...headers].flat()].join('');
    must(
      path.startsWith('/') && ![...line].some((letter) => '\r\n\0'.includes(letter)),
      'a line break goes into the head',
      sent,
    );
    const readings = readingsOf(sent);
    for (const { name, value, hosts } of secrets) {
      const spelled = [value, Buffer.from(value).toString('latin1')];
      const isThere = readings.some((reading) => spelled.some((wanted) => reading.includes(wanted)));
      if (isThere)
        must(
          hosts.some((rule) => allows(rule, host, port)),
          'a value went to a host that is not bound',
          { name, sent },
        );
      if (isThere) must(secure || host === 'nas.local', 'a value went out in the clear', { name, sent });
      must(!isThere || used.includes(name), 'a value went out unrecorded', { name, used, sent });
      must(!spelled.some((wanted) => sent.body.includes(wanted)), 'a value went into a body', { name, sent });
    }
  }

  return { make, check };
});
